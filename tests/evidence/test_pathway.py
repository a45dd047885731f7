"""The pathway is walked: safety first whoever comes, prevention in the end, and drawn as it is walked."""

import copy
import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebra import assets
from vertebra.evidence import pathway
from vertebra.evidence.pathway import CLOCKS, draw, facts, faults, inputs, layout, nodes, start, walk
from vertebra.evidence.patient import FIELDS, Patient, examples, variants

SVG = "{http://www.w3.org/2000/svg}"
# Everything that has to be known, and be so, before anybody speaks of cement; written out beside the file.
BEFORE_CEMENT = {
    "neurology": "N0",
    "mechanism": ("none", "everyday", "low fall"),
    "ankylosed": False,
    "cancer": False,
    "infection": False,
    "coagulopathy": False,
    "of_type": (1, 2, 3, 4),
    "looks_benign": True,
    "progression": False,
    "nonunion": False,
    "mri_oedema": True,
    "pain_0_10": tuple(range(7, 11)),
    "pain_despite_optimal_care": True,
    "level_concordant": True,
}


def any_patient():
    """Patients of every kind, each field known or not; half of them leave the trunk late."""
    fields = {}
    for name in inputs():
        wanted = BEFORE_CEMENT.get(name, False)
        likely = wanted if isinstance(wanted, tuple) else (wanted,)
        fields[name] = st.one_of(st.sampled_from(likely), st.sampled_from([*FIELDS[name].trials, None]))

    def make(values):
        try:
            return Patient(**values)
        except ValueError:
            return None

    return st.fixed_dictionaries(fields).map(make).filter(lambda patient: patient is not None)


SEVERE = examples()["severe"].patient


@pytest.fixture
def data():
    return copy.deepcopy(assets.read_yaml("evidence/pathway.yml"))


def node(data, name):
    return next(each for each in data["nodes"] if each["id"] == name)


def test_the_file_is_without_a_fault_and_every_node_has_its_sources():
    assert faults() == []
    told = {fact.id: fact for fact in facts()}
    assert set(told) == set(nodes())
    assert all(fact.refs and fact.review_by for fact in told.values())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d["nodes"].append(d["nodes"][0]), "first is used twice"),
        (lambda d: node(d, "film").update(next="nowhere"), "film leads to nowhere, which does not exist"),
        (lambda d: node(d, "nerves").pop("unknown"), "nerves is a question; it needs yes, no, unknown and ask"),
        (lambda d: node(d, "film").update(yes="care"), "film is an action"),
        (lambda d: node(d, "review").pop("next"), "2 nodes lead nowhere"),
        (lambda d: node(d, "review").update(next="care"), "a circle runs through"),
        (lambda d: node(d, "benign").update(no="review"), "no way leads to work_up"),
        (lambda d: node(d, "benign").update(when={"pretty": True}), "benign: there is no field pretty"),
        (lambda d: node(d, "care").update(refs=[]), "care names no source"),
        (lambda d: node(d, "care").update(refs=["denis1983"]), "nobody has opened"),
        (lambda d: node(d, "care").update(clock="soon"), "'soon' is not one of"),
        (lambda d: d.update(start="end"), "start is end, which does not exist"),
    ],
)
def test_each_kind_of_fault_is_found(data, spoil, words):
    spoil(data)
    assert any(words in fault for fault in faults(data)), faults(data)


@settings(max_examples=600)
@given(any_patient())
def test_whoever_comes_is_safe(patient):
    """The laws of the path, each written without its file: deficit, instability, infection, the unknown, prevention."""
    path = walk(patient)
    assert path.nodes[0] == start() and path.nodes[-1] == "prevention" and "prevention" in path.reached
    assert len(set(path.nodes)) == len(path.nodes)
    cement = "cement" in path.reached
    new_deficit = patient.new_deficit or (patient.neurology in ("N2", "N3", "N4") and patient.new_deficit is None)
    torn = patient.plc_injured or patient.of_type == 5
    if new_deficit or torn or patient.mechanism == "high energy" or patient.ankylosed:
        assert not cement and {"urgent imaging", "spine surgeon"} <= path.reached
        assert path.destination.id == "emergency" and path.destination.clock == "now" and len(path.steps) <= 5
    if torn or patient.infection or patient.cancer or patient.coagulopathy:
        assert not cement
    if cement:
        for name, wanted in BEFORE_CEMENT.items():
            assert getattr(patient, name) in (wanted if isinstance(wanted, tuple) else (wanted,)), name
        assert patient.plc_injured is False or patient.of_type == 1
        # What was passed as unknown on the way had to be known in the end.
        assert all(getattr(patient, name) is not None for name in path.asked)


def test_cement_is_reached_when_all_of_it_is_known_and_not_without_any_one():
    full = SEVERE
    assert walk(full).destination.id == "augmentation"
    for name in BEFORE_CEMENT:
        blind = {name: None} | ({"new_deficit": None} if name == "neurology" else {})
        path = walk(full.but(**blind))
        assert "cement" not in path.reached, name
        assert name in path.asked
        for other in variants(full, name):
            wanted = BEFORE_CEMENT[name]
            allowed = getattr(other, name) in (wanted if isinstance(wanted, tuple) else (wanted,))
            assert ("cement" in walk(other).reached) == allowed, (name, getattr(other, name))


@pytest.mark.parametrize("deficit", ["N1", "N2", "N3", "N4"])
@pytest.mark.parametrize("name", ["severe", "cleft", "fever", "cancer", "old", "wedge"])
def test_a_new_deficit_goes_to_imaging_and_surgeon_from_anywhere(deficit, name):
    path = walk(examples()[name].patient.but(neurology=deficit, new_deficit=True))
    assert path.destination.id == "emergency" and path.destination.clock == "now"


def test_a_torn_tension_band_goes_to_the_surgeon_even_with_cancer_or_fever():
    for name, extra in itertools.product(("cancer", "infection"), ({"plc_injured": True}, {"of_type": 5})):
        assert walk(SEVERE.but(**{name: True, "plc_injured": None} | extra)).destination.id == "emergency"


@pytest.mark.parametrize(
    ("name", "destination"),
    [
        ("wedge", "review"),
        ("severe", "augmentation"),
        ("old", "other_pain"),
        ("burst", "emergency"),
        ("weak_legs", "emergency"),
        ("cancer", "mscc"),
        ("fever", "infection_team"),
        ("cleft", "surgeon"),
        ("stiff", "emergency"),
        ("unknown", "find_out"),
    ],
)
def test_the_invented_patients_come_where_a_clinician_would_send_them(name, destination):
    assert walk(examples()[name].patient).destination.id == destination


def test_what_goes_on_sinking_or_does_not_unite_is_the_surgeons_whatever_mri_shows():
    for finding in ({"progression": True}, {"nonunion": True}):
        assert walk(SEVERE.but(mri_oedema=False, **finding)).destination.id == "surgeon"
    assert walk(SEVERE.but(mri_oedema=False)).destination.id == "other_pain"


def test_together_they_visit_every_node():
    people = [each.patient for each in examples().values()]
    people += [SEVERE.but(looks_benign=False)]
    assert {name for patient in people for name in walk(patient).nodes} == set(nodes())


def test_a_first_visit_ends_in_review_and_says_what_the_next_film_must_tell():
    path = walk(examples()["wedge"].patient)
    assert path.asked == ("progression", "nonunion")
    assert [each.id for each in path.actions] == ["first", "film", "care", "review", "prevention"]
    assert all(each.clock in CLOCKS for each in path.actions)


def test_of_an_unknown_answer_the_path_says_what_it_hung_on():
    path = walk(Patient(neurology="N0", mechanism="none"))
    last = path.steps[-3]
    assert (last.node.id, last.answer, last.fields) == ("cancer", "unknown", ("cancer",))
    assert path.asked == ("plc_injured", "of_type", "ankylosed", "cancer")


# --- the picture -----------------------------------------------------------------------------------------------------


def test_no_two_boxes_lie_on_one_another_and_all_lie_in_the_picture():
    root = ET.fromstring(draw())
    wide, high = float(root.get("width")), float(root.get("height"))
    boxes = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("data-node"):
            box = [float(group.find(f"{SVG}rect").get(name)) for name in ("x", "y", "width", "height")]
            boxes[group.get("data-node")] = box
    assert set(boxes) == set(nodes())
    for x, y, w, h in boxes.values():
        assert x >= 0 and x + w <= wide and y >= 0 and y + h <= high
    for (ax, ay, aw, ah), (bx, by, bw, bh) in itertools.combinations(boxes.values(), 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay


def test_every_edge_is_drawn_but_those_of_the_question_mark():
    drawn = {group.get("data-edge") for group in ET.fromstring(draw()).iter(f"{SVG}g") if group.get("data-edge")}
    meant = {
        f"{one.id}-{to}" for one in nodes().values() for answer, to in one.edges.items()
        if not (answer == "unknown" and to == "find_out")
    }  # fmt: skip
    assert drawn == meant


def test_no_line_on_the_trunk_runs_through_a_box():
    """An edge between two boxes of the trunk leads to the next row."""
    for one in nodes().values():
        for to in one.edges.values():
            here, there = layout()[one.id], layout()[to]
            if here.column == there.column == 0:
                assert there.row == here.row + 1, (one.id, to)


@pytest.mark.parametrize("name", list(examples()))
def test_what_is_marked_is_what_was_walked(name):
    path = walk(examples()[name].patient)
    for step in range(len(path.steps)):
        root = ET.fromstring(draw(path, step))
        marked = {group.get("data-node") for group in root.iter(f"{SVG}g") if group.get("data-walked")} - {None}
        assert marked == set(path.nodes[: step + 1])
        lines = {group.get("data-edge") for group in root.iter(f"{SVG}g") if group.get("data-walked")} - {None}
        assert lines == {f"{a}-{b}" for a, b in itertools.pairwise(path.nodes[: step + 1])}


def test_lines_start_and_end_at_their_boxes():
    places = layout()
    for group in ET.fromstring(draw(walk(Patient()))).iter(f"{SVG}g"):
        edge = group.get("data-edge")
        if not edge:
            continue
        here = next(name for name in nodes() if edge.startswith(f"{name}-") and edge[len(name) + 1 :] in nodes())
        numbers = [float(each) for each in re.findall(r"-?\d+\.?\d*", group.find(f"{SVG}path").get("d"))]
        left, top, wide = pathway._at(places[here])
        assert left <= numbers[0] <= left + wide and top <= numbers[1] <= top + pathway.HIGH
