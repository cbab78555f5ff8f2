"""From samples of blood to volumes of distribution: model the parent fraction, make the input, fit 2TCM and Logan.

Curves and input of known truth come from the conformance suite, and the blood is sampled from that input, so that it
runs anywhere; read your own with ``raphe.read_curves`` and ``raphe.read_blood``.
"""

import numpy as np

import raphe
from raphe.conformance.suite import Suite
from raphe.data.blood import BloodSamples, Samples

suite = Suite()
table = suite.curves("2tissue", "38", "average")
cases = suite.cases("2tissue")
tacs = raphe.TACs([table.activity[case] for case in cases], table.frames, cases)
truth = np.array([suite.true(case, "V_T", "38") for case in cases])

minutes = np.concatenate([np.arange(0.1, 3, 0.1), [3.5, 4, 5, 7, 10, 15, 20, 30, 45, 60, 75, 93]])
fraction = 1 - 0.8 * minutes**1.6 / (minutes**1.6 + 20**1.6)
drawn = BloodSamples(
    whole_blood=Samples(minutes, suite.plasma.whole_blood(minutes)),
    plasma=Samples(minutes, suite.plasma.at(minutes) / fraction),
    parent_fraction=Samples(minutes[9::4], fraction[9::4]),
)
plasma, _, blood_fits = raphe.make_input(drawn, scan_end=float(tacs.frames.end[-1]))
print(f"parent fraction by {blood_fits[0].title}")

for model in (raphe.TwoTCM(), raphe.Logan(t_star=30.0, V_B=0.05)):
    result, _ = raphe.fit(model, tacs, plasma=plasma, half_life=suite.half_life)
    value, se = result.of("V_T")
    error = 100 * (value / truth - 1)[result.usable]
    print(f"{model.name:6s} V_T of {result.usable.sum()} tissues: median error {np.median(error):+.1f} %")
    for name, v, s, true in list(zip(result.names, value, se, truth, strict=True))[:3]:
        print(f"       {name}  {v:6.2f} +- {s:.2f} mL/cm3, in truth {true:.2f}")
