"""Contrasts and agreement of estimates."""
