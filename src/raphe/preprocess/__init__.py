"""From images to curves: motion, registration, anatomy, partial volumes. Values in, values out; files are `io`'s."""
