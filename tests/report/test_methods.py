import pytest

from raphe.data.record import Step
from raphe.report.methods import VARYING, WRITERS, inputs, methods
from raphe.report.page import record


def fit(**parameters):
    settings = {
        "model": "MRTM2",
        "convention": "average",
        "weights": "decay",
        "n_curves": 16,
        "n_frames": 38,
        "scan_minutes": 93.0,
        "errors": "HC3",
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
    told = methods([Step("sharpen", {"kernel": 5.0, "kind": "median", "of": ("a", "b"), "seed": None})], {})
    assert told.sentences[0].text == "sharpen: kernel = 5, kind = median, of = a and b and seed = none."
    assert methods([Step("wait")], {}).sentences[0].text == "wait."


def test_outlines_of_nuclei_are_told_once_for_all_heads_with_what_was_found():
    told = methods([Step("nuclei", {"regions": ("putamen",), "unsure": value}) for value in (0.98, 1.04)], {})
    (sentence,) = told.sentences
    assert "unsure by 0.98 to 1 mm (SD, what made the brightness around them most likely)" in sentence.text
    before = methods([Step("nuclei", {"regions": ("putamen",)})], {}).sentences[0].text
    assert "refined" in before
    assert "unsure" not in before


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


def tissue(model, **parameters):
    settings = {
        "model": model, "title": "a title", "convention": "average", "weights": "decay", "n_frames": 27,
        "scan_minutes": 90.0, "reference": None, "plasma": True, "tracer": "MC1", **parameters,
    }  # fmt: skip
    return Step("fit", settings, (model,))


def test_several_models_of_the_same_curves_say_once_what_they_have_in_common():
    steps = [tissue("2TCM"), tissue("Logan", t_star=30.0, V_B=0.0, n_frames=12, t_star_source="the plan")]
    first, second, common = (sentence.text for sentence in methods(steps, {}).sentences)
    assert first == (
        "Time-activity curves of MC1 (27 frames over 90 min) were fitted by 2TCM (a title), with the arterial input, "
        "with the share of blood V_B estimated."
    )
    assert second == (
        "The same curves were fitted by Logan (a title), with the arterial input, using the 12 frames whose middle is "
        "at or after t* = 30 min (the plan), with the share of blood V_B taken as 0."
    )
    assert common.startswith("Weights of frames in both analyses: 1/variance of decay-corrected counts")
    assert "reference" not in first + second


def test_models_of_several_scans_keep_their_references():
    told = methods([tissue("2TCM"), tissue("1TCM"), tissue("2TCM"), tissue("1TCM")], {})
    assert [sentence.numbers for sentence in told.sentences] == [(1,), (2,), ()]
    assert "of 2 scans" in told.sentences[0].text


def test_the_share_of_blood_is_said_fixed_or_estimated():
    assert "V_B fixed at 0.05" in methods([tissue("2TCM", V_B=0.05)], {}).sentences[0].text
    assert "V_B" not in methods([fit()], {}).sentences[0].text


def test_a_window_and_any_other_known_value_are_told():
    text = methods([fit(model="SUVR", k2_prime=None, t_begin=60.0, t_end=90.0, n_frames=6)], {}).sentences[0].text
    assert "in the window from 60 to 90 min after injection (6 frames)" in text
    assert "with t_D fixed at 35 min" in methods([fit(t_D=35.0)], {}).sentences[0].text


def test_searched_t_star_is_told_with_its_range():
    steps = []
    for value, found in ((20.0, 107), (30.0, 108)):
        steps += [
            Step("t_star_search", {"model": "Logan", "limit": 10.0, "n_curves": 108, "n_found": found}, ("logan1990",)),
            Step("t_star", {"model": "Logan", "value": value, "limit": 10.0, "share": 0.9, "regions": ("a",) * found}),
        ]
    search, taken = (sentence.text for sentence in methods(steps, {}).sentences)
    assert "in each of 2 scans" in search
    assert "by 10 % or more" in search
    assert "in 107 to 108 of 108 regions" in search
    assert taken == "The t* for Logan of a scan is the earliest that 90 % of the regions have reached: 20 to 30 min."


def blood_steps(n, model, delay):
    chosen = {"model": model, "title": f"{model} function", "chosen": "lowest AICc", "weights": "uniform"}
    return [
        Step(
            "blood_read",
            {
                "format": "BIDS", "recordings": ("manual", "autosampler"), "injection": 0.0, "tracer": "MC1",
                "decay_correction": "to injection", "dispersion_corrected": False, "n_whole_blood": n, "n_plasma": n,
                "unit_given": "kBq/mL", "units_overruled": ("plasma Bq/mL",),
            },
        ),
        Step(
            "fit_parent_fraction",
            {**chosen, "n_samples": 7, "n_candidates": 18, f"parameter_{model}": 1.0, "quality": ""},
            ("tonietto2016",),
        ),
        Step("fit_parent", {"model": "interpolation", "title": "straight lines", "chosen": "named", "n_samples": n}),
        Step("make_input", {"scan_end": 90.0, "metabolite_corrected": False, "parent": "interpolation",
                            "parent_fraction": model, "whole_blood": "interpolation"}),
        Step("delay", {"value": delay, "se": 0.02, "low": -0.75, "high": 1.5}),
    ]  # fmt: skip


def test_blood_of_several_scans_is_told_once_with_ranges():
    steps = [*blood_steps(18, "hill", 0.05), *blood_steps(20, "power", -0.1), *blood_steps(20, "hill", 0.1)]
    read, fraction, made, delay = methods(steps, {}).sentences
    assert read.text == (
        "Arterial blood of MC1 was sampled by hand and by an autosampler in each of 3 scans (18 to 20 of whole blood "
        "and 18 to 20 of plasma; BIDS); decay correction: to injection. The autosampler's curve was not corrected for "
        "dispersion. Activities of blood were taken to be in kBq/mL, over what the files say (plasma Bq/mL)."
    )
    assert "among 18 candidates" in fraction.text
    assert "hill function (hill) in 2 and power function (power) in 1 (7 samples, all samples weighing alike)" in (
        fraction.text
    )
    assert fraction.numbers == (1,)
    assert made.text == (
        "The input of the models was total plasma as straight lines between the samples from zero at injection, times "
        "the parent fraction; whole blood was drawn as straight lines between its samples."
    )
    assert "for delays from \N{MINUS SIGN}45 to 90 s" in delay.text
    assert "\N{MINUS SIGN}6 to 6 s (standard error 1.2 s)" in delay.text


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step("delay", {"value": 0.0, "source": "default"}), "the tissue 0 s after the time of its sample (default)"),
        (
            Step("input_read", {"format": "kinfitr", "parent": "the file's", "decay_correction": "to injection"}),
            "taken as given (kinfitr): the file's, joined by straight lines; decay correction: to injection.",
        ),
        (
            Step("input_read", {"format": "table", "parent": "AIF", "decay_correction": "",
                                "unit_given": "kBq/mL", "units_overruled": ("plasma Bq/mL",)}),
            "Activities of blood were taken to be in kBq/mL, over what the files say (plasma Bq/mL).",
        ),
        (
            Step("plasma_samples", {"n_samples": 2, "times": (40.0, 60.0), "parent": "metabolite-corrected plasma",
                                    "assumed_error": 0.03, "left_out": ("1 before 10 min",)}),
            "2 samples of the parent in plasma at 40 and 60 min gave the scale of the estimated input "
            "(metabolite-corrected plasma). A sample was taken to be known to 3 %. Left out: 1 before 10 min.",
        ),
        (
            Step("fit_parent_fraction", {"title": "Hill function", "source": "X 2001", "parameter_a": 0.4}),
            "not fitted, but given: Hill function (a = 0.4; X 2001)",
        ),
        (
            Step("fit_parent", {"model": "feng", "title": "a model", "n_samples": 30, "weights": "given",
                                "parameter_a": 1}),
            "Metabolite-corrected plasma was described by: a model (feng) (30 samples, samples weighed by 1/variance).",
        ),
        (
            Step("join_blood", {"autosampler_from": 0.1, "autosampler_to": 5.0, "calibrated": True, "factor": 1.04,
                                "factor_se": 0.02}),
            "from 6 to 300 s) were joined with the manual ones before and after, after they had been multiplied by "
            "1.04 (standard error 0.02)",
        ),
        (Step("join_blood", {"autosampler_from": 0.1, "autosampler_to": 5.0, "calibrated": False}), "not calibrated"),
        (Step("make_input", {"metabolite_corrected": True, "parent": "interpolation"}), "Whole blood was not known."),
        (Step("make_input", {"parent": "feng", "plasma_to_blood": "linear"}), "whole blood times their ratio"),
        (Step("image_derived_input", {"factor": 1.0, "n_late": 0, "plasma_ratio": None}), "without metabolites"),
        (Step("blood_cut", {"n_frames": 20, "end": 45.0}), "the first 20, up to 45 min"),
        (Step("not_fitted", {"model": "SUVR", "why": "too late."}), "SUVR could not be fitted: too late."),
        (Step("bootstrap", {"model": "2TCM", "repeats": 1000, "seed": 1, "level": 0.95, "n_lost": 0}), "1000 repeats"),
        (Step("profile", {"model": "2TCM", "parameters": ("V_T",), "level": 0.95}), "95 % intervals of V_T by 2TCM"),
    ],
)  # fmt: skip
def test_each_step_has_its_sentence(step, says):
    (sentence,) = methods([step], {}).sentences
    assert says in sentence.text
    assert "None" not in sentence.text


def test_what_varies_is_told_of_steps_that_have_a_sentence():
    assert VARYING.keys() <= {"fit", *WRITERS}


def test_agreement_of_several_models_is_told_once():
    settings = {"tracer": "MC1", "first": "test", "second": "retest", "icc_form": "ICC(A,1)", "n_regions": 3}
    steps = [Step("agreement", {**settings, "model": m, "parameter": "V_T"}) for m in ("2TCM", "1TCM")]
    (sentence,) = methods(steps, {}).sentences
    assert "Agreement of the estimates of MC1 (V_T by 2TCM, V_T by 1TCM)" in sentence.text


def test_a_step_that_only_a_later_scan_has_stands_where_it_belongs():
    steps = [*blood_steps(18, "hill", 0.05), tissue("2TCM")]
    steps += [steps[0], Step("blood_cut", {"n_frames": 20, "end": 45.0}), *steps[1:]]
    words = [sentence.text for sentence in methods(steps, {}).sentences]
    assert words[1].startswith("Where the blood")
    assert words[-1].startswith("Time-activity curves")


def test_an_estimated_input_is_told_with_the_model_and_its_samples():
    one = fit(model="SIMEAIF", reference=None, k2_prime=None, plasma=False, samples=1, V_B=0.05)
    (sentence,) = methods([one], {}).sentences
    assert "with the input estimated from the curves of all regions together" in sentence.text
    assert "not measured but for 1 sample of the parent in plasma" in sentence.text
    assert "V_B fixed at 0.05" in sentence.text
    (several,) = methods([one, fit(**{**one.parameters, "samples": 3})], {}).sentences
    assert "1 to 3 samples" in several.text


def test_samples_of_several_scans_are_told_once():
    steps = [
        Step("plasma_samples", {"n_samples": n, "times": times, "parent": "metabolite-corrected plasma"})
        for n, times in ((1, (40.0,)), (2, (30.0, 60.0)))
    ]
    (sentence,) = methods(steps, {}).sentences
    assert "1 to 2 samples of the parent in plasma in each of 2 scans between 30 and 60 min" in sentence.text


def test_the_raphe_is_told_with_its_caveat():
    steps = [
        Step("raphe_region", {"tracer": "DASB", "found": True, "shift": shift, "usual": 2.0, "contrast": 0.7})
        for shift in (1.0, 2.5)
    ]
    text = WRITERS["raphe_region"](steps)
    assert "in each of 2 scans by 1 to 2.5 mm to where the late PET of DASB" in text
    assert "The scan that places the region also measures it" in text
    assert WRITERS["raphe_region"]([Step("raphe_region", {"found": False})]) == ""


def test_regions_that_are_not_the_atlas_s_own_are_told_with_their_source():
    other = ("midbrain (an ellipsoid, an assumption)", "ventral pallidum (Further)")
    done = (
        Step("atlas", {"atlas": "Main", "brain_ml": 1400.0, "doubts": (), "other_regions": other}),
        Step("supplement", {"atlas": "Further", "regions": ("ventral pallidum",), "overlap": 0.97, "moved": 0.756}),
    )
    text = " ".join(one.text for one in methods(done, {}).sentences)
    assert "Not the atlas's own are midbrain (an ellipsoid, an assumption) and ventral pallidum (Further)." in text
    assert "Regions of the atlas Further (ventral pallidum) were brought to the template" in text
    assert "by 0.76 mm at most" in text
    alone = methods((Step("atlas", {"atlas": "Main", "brain_ml": 1400.0, "doubts": ()}),), {}).sentences
    assert "own are" not in " ".join(one.text for one in alone)


def test_a_resolution_is_told_once_where_it_is_alike_along_all_axes():
    settings = {"method": "GTM", "title": "geometric transfer matrix"}
    same = methods([Step("pvc", {**settings, "fwhm": (2.6, 2.6, 2.6)})], {}).sentences[0].text
    assert "(GTM), FWHM 2.6 mm." in same
    off = {"fwhm": (2.6, 2.6, 3.0), "fwhm_off_centre": (3.4, 3.4, 3.4), "off_centre": 100.0}
    other = methods([Step("pvc", {**settings, **off})], {}).sentences[0].text
    assert "FWHM 2.6, 2.6 and 3 mm in the centre and 3.4 mm at 100 mm from the axis." in other
    reference = Step("corrected_reference", {"found": True, "away": 5.1, "vermis": 6.4, "share": 0.72})
    assert (
        "it reaches to 5.1 mm from cortex and 6.4 mm from the middle (0.72 of"
        in methods([reference], {}).sentences[0].text
    )


def compared(**parameters):
    settings = {"name": "c", "kind": "paired", "tracer": "A", "model": "SRTM", "parameter": "BP_ND", "what": "change",
                "method": "paired t test", "adjust": "holm", "n_regions": 15, "margin": None}  # fmt: skip
    (sentence,) = methods([Step("contrast", {**settings, **parameters})], {}).sentences
    return sentence.text


def test_one_region_is_not_said_to_be_adjusted_for_others():
    assert "adjusted over the regions by Holm's procedure" in compared()
    assert "adjusted" not in compared(n_regions=1)


def test_a_margin_of_equivalence_is_told():
    told = compared(margin=0.1)
    assert "within a margin of ±0.1, named in the plan" in told
    assert "two one-sided tests at 5 %" in told
    assert "margin" not in compared()


def test_sides_level_primary_region_and_order_of_tests_are_told():
    basis = {"level": 0.05, "primary_contrast": None, "primary_region": None, "order": (), "n_contrasts": 1}
    (plain,) = methods([Step("tests", basis)], {}).sentences
    assert "two-sided at a level of 5 %" in plain.text
    assert "primary" not in plain.text
    assert "order" not in plain.text
    assert "number of comparisons" not in plain.text
    (several,) = methods([Step("tests", basis | {"n_contrasts": 2})], {}).sentences
    assert "not adjusted for the number of comparisons" in several.text
    named = {"primary_contrast": "a", "primary_region": "hippocampus", "order": ("a", "b")}
    (told,) = methods([Step("tests", basis | named)], {}).sentences
    assert "hippocampus was named in advance and is judged by its own p value" in told.text
    assert "in the order “a” and “b”, each at the full level and only while all before it were shown" in told.text


@pytest.mark.parametrize(
    ("models", "kind"),
    [(["SRTM"], "(HC3; "), (["MA2"], "(HC2; "), (["SRTM", "FRTM", "MA2"], "(HC3, and HC2 for FRTM and MA2; ")],
    ids=["HC3", "HC2", "both"],
)
def test_the_kind_of_standard_errors_is_that_of_the_models_that_were_fitted(models, kind):
    steps = [fit(model=model, errors="HC3" if model == "SRTM" else "HC2") for model in models]
    told = methods(steps, {}).sentences[-1].text
    assert f"heteroscedasticity-consistent {kind}" in told


def test_blood_that_was_left_out_because_it_breaks_the_order_of_time_is_told():
    whole, lacking = blood_steps(16, "hill", -0.1)[0], blood_steps(17, "hill", -0.1)[0]
    assert "order" not in methods([whole, lacking], {}).sentences[0].text
    lacking = Step("blood_read", {**lacking.parameters, "n_lines_out_of_order": 2})
    told = methods([whole, lacking], {}).sentences[0].text
    assert "The samples of 2 lines of the tables of 1 scan were left out, because the times stood out of order." in told


def test_the_formula_of_the_weights_has_a_sign_of_multiplication():
    (told,) = methods([fit()], {}).sentences
    assert "duration \N{MULTIPLICATION SIGN} remaining share of the nuclide / activity" in told.text


@pytest.mark.parametrize(
    ("name", "called", "told"),
    [
        ("DASB", {}, "of [11C]DASB"),
        ("AZ10419369 and DASB", {}, "of [11C]AZ10419369 and [11C]DASB"),
        ("MC1", {"MC1": "[11C]MC1"}, "of [11C]MC1"),
        ("MC1", {}, "of MC1"),
    ],
)
def test_tracers_have_their_nuclide_in_sentences_and_not_in_settings(name, called, told):
    step = Step("k2_prime", {"tracer": name, "value": 0.07, "source": "plan"})
    (sentence,) = methods([step], {}, called).sentences
    assert f" {told} " in sentence.text
    assert record([step], {}, {}, "", called)["steps"][0][1]["tracer"] == name


def test_the_tracers_that_an_interaction_compares_have_their_nuclides():
    settings = {"name": "c", "tracer": "X and DASB", "model": "SRTM", "what": "change of X less that of DASB",
                "method": "t", "n_regions": 1}  # fmt: skip
    (sentence,) = methods([Step("contrast", settings)], {}, {"X": "[18F]X"}).sentences
    assert "is the change of [18F]X less that of [11C]DASB, of [18F]X and [11C]DASB (SRTM)" in sentence.text
