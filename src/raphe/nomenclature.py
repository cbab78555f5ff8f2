"""Symbols of PET kinetics: each written once, with its unit, its meaning and the label that files carry.

Terms follow the consensus nomenclature for reversibly binding radioligands (Innis et al. 2007, J Cereb Blood Flow
Metab 27:1533, doi 10.1038/sj.jcbfm.9600493). File labels follow the draft BIDS extension for PET derivatives
(BEP 23), which drops underscores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Symbol:
    """One quantity: what it is called in formulas, in files, and what it means."""

    name: str
    label: str
    unit: str
    meaning: str
    html: str


_SYMBOLS = (
    Symbol(
        "BP_ND",
        "BPND",
        "unitless",
        "binding potential relative to non-displaceable uptake",
        "<i>BP</i><sub>ND</sub>",
    ),
    Symbol("R1", "R1", "unitless", "delivery relative to the reference, K1 / K1'", "<i>R</i><sub>1</sub>"),
    Symbol("k2", "k2", "1/min", "clearance from tissue to plasma", "<i>k</i><sub>2</sub>"),
    Symbol(
        "k2_prime", "k2prime", "1/min", "clearance from the reference tissue to plasma", "<i>k</i><sub>2</sub>&prime;"
    ),
    Symbol("k2a", "k2a", "1/min", "apparent clearance, k2 / (1 + BP_ND)", "<i>k</i><sub>2a</sub>"),
    Symbol("t_star", "t_star", "min", "start of the frames that are fitted", "<i>t</i>*"),
    Symbol("K1", "K1", "mL/cm3/min", "influx from plasma to tissue", "<i>K</i><sub>1</sub>"),
    Symbol("k3", "k3", "1/min", "rate of binding, from the first to the second compartment", "<i>k</i><sub>3</sub>"),
    Symbol("k4", "k4", "1/min", "rate of release, from the second to the first compartment", "<i>k</i><sub>4</sub>"),
    Symbol("V_B", "VB", "unitless", "share of the tissue that is blood", "<i>V</i><sub>B</sub>"),
    Symbol("V_T", "VT", "mL/cm3", "total volume of distribution", "<i>V</i><sub>T</sub>"),
    Symbol(
        "V_ND", "VND", "mL/cm3", "volume of distribution of non-displaceable uptake, K1 / k2", "<i>V</i><sub>ND</sub>"
    ),
    Symbol("V_S", "VS", "mL/cm3", "volume of distribution of specific binding", "<i>V</i><sub>S</sub>"),
    Symbol(
        "BP_P",
        "BPP",
        "mL/cm3",
        "binding potential relative to total plasma concentration, V_T - V_ND",
        "<i>BP</i><sub>P</sub>",
    ),
    Symbol("K_i", "Ki", "mL/cm3/min", "net influx rate from plasma", "<i>K</i><sub>i</sub>"),
    Symbol(
        "K_i_ref",
        "Kiref",
        "1/min",
        "net influx rate relative to the reference tissue",
        "<i>K</i><sub>i</sub>&prime;",
    ),
    Symbol("SUVR", "SUVR", "unitless", "ratio of uptake to that of the reference region", "SUVR"),
    Symbol("t_begin", "t_begin", "min", "start of the time window", "<i>t</i><sub>begin</sub>"),
    Symbol("t_end", "t_end", "min", "end of the time window", "<i>t</i><sub>end</sub>"),
    Symbol("gamma", "gamma", "1/min", "height of the release of endogenous ligand", "&gamma;"),
    Symbol("t_D", "tD", "min", "beginning of the release", "<i>t</i><sub>D</sub>"),
    Symbol("t_P", "tP", "min", "peak of the release", "<i>t</i><sub>P</sub>"),
    Symbol("alpha", "alpha", "unitless", "sharpness of the release", "&alpha;"),
    Symbol("tau", "tau", "1/min", "rate at which the release fades", "&tau;"),
    Symbol(
        "displacement",
        "displacement",
        "unitless",
        "largest relative fall of BP_ND during the scan",
        "&Delta;<i>BP</i><sub>ND</sub>",
    ),
)

SYMBOLS: dict[str, Symbol] = {symbol.name: symbol for symbol in _SYMBOLS}
"""Every symbol by its name in formulas."""

BY_LABEL: dict[str, Symbol] = {symbol.label: symbol for symbol in _SYMBOLS}
"""Every symbol by its label in files."""

SIDE_LABELS: dict[str, str] = {"left": "L", "lh": "L", "l": "L", "right": "R", "rh": "R", "r": "R"}
"""Words that name a hemisphere in region names, and the side they name."""

_FRONTAL = (
    "superior frontal",
    "rostral middle frontal",
    "caudal middle frontal",
    "pars opercularis",
    "pars triangularis",
    "pars orbitalis",
    "lateral orbitofrontal",
    "medial orbitofrontal",
    "precentral",
    "paracentral",
    "frontal pole",
)
_PARIETAL = ("superior parietal", "inferior parietal", "supramarginal", "postcentral", "precuneus")
_TEMPORAL = (
    "superior temporal",
    "middle temporal",
    "inferior temporal",
    "banks of the superior temporal sulcus",
    "fusiform",
    "transverse temporal",
    "entorhinal",
    "temporal pole",
    "parahippocampal",
)
_OCCIPITAL = ("lateral occipital", "lingual", "cuneus", "pericalcarine")
_CINGULATE = ("rostral anterior cingulate", "caudal anterior cingulate", "posterior cingulate", "isthmus cingulate")

COMPOSITES: dict[str, tuple[str, ...]] = {
    "striatum": ("caudate", "putamen", "nucleus accumbens"),
    "anterior cingulate": ("rostral anterior cingulate", "caudal anterior cingulate"),
    "cingulate": _CINGULATE,
    "frontal": _FRONTAL,
    "parietal": _PARIETAL,
    "temporal": _TEMPORAL,
    "occipital": _OCCIPITAL,
}
"""Regions that are made of others, when a table does not hold them by their own name.

The lobes are sets of the cortical labels of Desikan et al. (2006, NeuroImage 31:968, doi
10.1016/j.neuroimage.2006.01.021), grouped as the page "CorticalParcellation" of FreeSurfer's wiki maps them to
lobes; it leaves the insula out and lists the cingulate apart. Klein and Tourville (2012, Front Neurosci 6:171, doi
10.3389/fnins.2012.00171) describe the labels.
"""

_CORTICAL = frozenset((*_FRONTAL, *_PARIETAL, *_TEMPORAL, *_OCCIPITAL, *_CINGULATE, "insula", *COMPOSITES))

SYNONYMS: dict[str, str] = {
    "accumbens": "nucleus accumbens",
    "accumbens area": "nucleus accumbens",
    "nacc": "nucleus accumbens",
    "nac": "nucleus accumbens",
    "brain stem": "brainstem",
    "thalamus proper": "thalamus",
    "ventraldc": "ventral diencephalon",
    "ventral dc": "ventral diencephalon",
    "cerebellargrey": "cerebellar grey",
    "cerebellum cortex": "cerebellar grey",
    "cerebellar cortex": "cerebellar grey",
    "cerebellum grey": "cerebellar grey",
    "cerebellum gray": "cerebellar grey",
    "cerebellum grey matter": "cerebellar grey",
    "cerebellum gray matter": "cerebellar grey",
    "cerebellar gray": "cerebellar grey",
    "cerebellar grey matter": "cerebellar grey",
    "cerebellar gray matter": "cerebellar grey",
    "cerebellum white matter": "cerebellar white matter",
    "globus pallidus": "pallidum",
    "insular": "insula",
    "bankssts": "banks of the superior temporal sulcus",
    **{name.replace(" ", ""): name for name in sorted(_CORTICAL) if " " in name},
}
"""Other names of regions and the one that raphe uses (lower case, words by spaces, no side)."""

WHITE, FLUID, OTHER_GREY = "white", "fluid", "other_grey"
"""Names of tissue that is in no region of a study, but takes part in partial-volume correction."""


def region_key(name: str) -> tuple[str, str]:
    """Plain name and side of a region, whatever the source's spelling.

    Parameters
    ----------
    name : str
        Region name as an atlas, FreeSurfer, PETPrep or a person writes it.

    Returns
    -------
    plain : str
        Lower case words, synonyms resolved: ``"Left-Thalamus-Proper"`` and ``"left_thalamus"`` give ``"thalamus"``,
        ``"ctx-lh-superiorfrontal"`` and ``"superior frontal gyrus"`` give ``"superior frontal"``.
    side : str
        ``"L"``, ``"R"`` or ``""``.
    """
    words = name.replace("_", " ").replace("-", " ").lower().split()
    if words and words[0] == "ctx":
        words = words[1:]
    side = ""
    if len(words) > 1 and words[0] in SIDE_LABELS:
        side, words = SIDE_LABELS[words[0]], words[1:]
    elif len(words) > 1 and words[-1] in SIDE_LABELS:
        side, words = SIDE_LABELS[words[-1]], words[:-1]
    plain = " ".join(words)
    if words and words[-1] in ("cortex", "gyrus", "lobe"):
        shorter = " ".join(words[:-1])
        shorter = SYNONYMS.get(shorter, shorter)
        if shorter in _CORTICAL:
            plain = shorter
    return SYNONYMS.get(plain, plain), side


_ISOTOPE = re.compile(
    r"^[\[(]?\s*(?:11-?C|C-?11|18-?F|F-?18|15-?O|O-?15|13-?N|N-?13|68-?Ga|Ga-?68|64-?Cu|Cu-?64|89-?Zr|Zr-?89"
    r"|124-?I|I-?124|76-?Br|Br-?76)(?:\s*[\])][-_\s]*|[-_\s]+)",
    re.IGNORECASE,
)


def isotope(name: str) -> str:
    """Isotope in front of a tracer's name, ``"[11C]"`` of ``"[11C]DASB"``; empty if there is none."""
    label = _ISOTOPE.match(name.strip())
    return label[0].strip(" -_") if label else ""


def tracer_key(name: str) -> str:
    """Make a tracer's name comparable: ``"[11C]DASB"``, ``"DASB"`` and ``"C-11 dasb"`` all give ``"dasb"``."""
    return re.sub(r"[^a-z0-9]", "", _ISOTOPE.sub("", name.strip()).lower())


def segmentation_key(name: str) -> str:
    """Make a segmentation's name comparable: ``"aparc+aseg"`` and ``"aparcaseg"`` give ``"aparcaseg"``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
