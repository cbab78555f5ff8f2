from raphe.data.record import Step
from raphe.report.methods import inputs, methods


def fit(**parameters):
    settings = {
        "model": "MRTM2",
        "convention": "average",
        "weights": "decay",
        "n_curves": 16,
        "n_frames": 38,
        "scan_minutes": 93.0,
        "reference": "cerebellar grey",
        "k2_prime": 0.06,
    }
    return Step("fit", {**settings, **parameters}, citations=("ichise2003",))


def test_scans_that_were_fitted_alike_are_told_once_with_their_range():
    told = methods([fit(), fit(k2_prime=0.07, n_frames=36)], {"ichise2003": "Ichise 2003."})
    (sentence,) = told.sentences
    assert "of 2 scans (36 to 38 frames over 93 min)" in sentence.text
    assert "k2_prime fixed at 0.06 to 0.07 1/min" in sentence.text
    assert "cerebellar grey as reference region" in sentence.text
    assert "average of a continuous curve over the frame" in sentence.text
    assert (sentence.numbers, told.references) == ((1,), ("Ichise 2003.",))


def test_other_settings_are_told_apart():
    told = methods([fit(), fit(weights="uniform"), fit(convention="midframe")], {})
    assert len(told.sentences) == 3
    assert "Weights of frames: equal" in told.sentences[1].text
    assert "straight lines" in told.sentences[2].text


def test_references_are_numbered_in_the_order_in_which_they_are_named():
    steps = [Step("b", {}, ("y", "x")), Step("a", {}, ("x", "z"))]
    told = methods(steps, {"x": "X.", "y": "Y."})
    assert [sentence.numbers for sentence in told.sentences] == [(1, 2), (2, 3)]
    assert told.references == ("Y.", "X.", "z")


def test_a_step_that_nobody_writes_for_is_told_with_its_parameters():
    told = methods([Step("denoise", {"kernel": 5.0, "kind": "median", "of": ("a", "b"), "seed": None})], {})
    assert told.sentences[0].text == "denoise: kernel = 5, kind = median, of = a and b and seed = none."
    assert methods([Step("wait")], {}).sentences[0].text == "wait."


def test_k2_prime_names_its_regions():
    steps = [
        Step("k2_prime", {"value": v, "se": 0.001, "regions": regions, "model": "MRTM1"})
        for v, regions in ((0.06, ("putamen", "thalamus")), (0.064, ("putamen",)))
    ]
    text = methods(steps, {}).sentences[0].text
    assert "in each of 2 scans" in text
    assert "those usable of putamen and thalamus: 0.06 to 0.064 1/min" in text


def test_inputs_of_all_steps():
    assert inputs([Step("a", inputs={"z": "1", "b": "2"}), Step("c", inputs={"b": "2"})]) == {"b": "2", "z": "1"}
