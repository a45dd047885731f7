"""The anatomy viewer without a browser: what is packed for it, what its parts are called and what is said of them."""

import base64
import re

import numpy as np
import pytest

from vertebra.evidence.references import cited, references
from vertebra.imaging import ct
from vertebra.spine.vertebra import PARTS as BONE_PARTS
from vertebra.spine.vertebra import Vertebra
from vertebra.widgets import anatomy as module
from vertebra.widgets.anatomy import Solid, anatomy, anatomy_parts, pack, view

BONE = [name.replace(" ", "-") for name in BONE_PARTS]


def unpack(scene):
    """Yield (vertices, faces, normals, regions) of each mesh as the browser half reads them."""
    blob = base64.b64decode(scene["packed"])
    for mesh in scene["meshes"]:
        at, n, m = mesh["start"], mesh["vertices"], mesh["faces"]
        counts = ((np.dtype("<i2"), 3 * n), (np.dtype("<u2"), 3 * m), (np.dtype("i1"), 3 * n), (np.dtype("u1"), m))
        blocks = []
        for kind, count in counts:
            blocks.append(np.frombuffer(blob, kind, count, at))
            at += count * kind.itemsize
        vertices = blocks[0].reshape(-1, 3) * mesh["step"] + np.array(mesh["origin"])
        yield vertices, blocks[1].reshape(-1, 3), blocks[2].reshape(-1, 3) / 127, blocks[3]


def places(scene):
    """Return the centres (m, 3) of each region's faces by (part, side, level)."""
    found = {}
    for vertices, faces, _, regions in unpack(scene):
        centres = vertices[faces].mean(axis=1)
        for number in np.unique(regions):
            region = scene["regions"][number - 1]
            found[region["part"], region["side"], region["level"]] = centres[regions == number]
    return found


def volume(vertices, faces):
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return np.einsum("ij,ij->", a, np.cross(b, c)) / 6


def test_what_is_packed_is_what_was_given():
    mesh = Vertebra("L3").mesh(2.0)
    solid = Solid(mesh.vertices, mesh.faces, mesh.normals, [module.OF_BONE[BONE_PARTS[i]] for i in mesh.parts], "L3")
    scene = pack([solid, solid], single=True)
    first, second = unpack(scene)
    vertices, faces, normals, regions = first
    step = np.ptp(mesh.vertices, axis=0).max() / 65534
    assert np.abs(vertices - mesh.vertices).max() <= 0.51 * step
    assert np.array_equal(faces, mesh.faces)
    assert np.abs(normals - mesh.normals).max() <= 0.51 / 127
    called = [scene["regions"][number - 1]["part"] for number in regions]
    assert called == list(solid.parts)
    assert np.array_equal(second[3], regions)
    assert [part["id"] for part in scene["parts"]] == [name for name in BONE if name in set(called)]


def test_what_the_browser_cannot_index_is_refused():
    corners = np.zeros((65536, 3))
    with pytest.raises(ValueError, match="a mesh of L1 has 65536 vertices; give a coarser one"):
        pack([Solid(corners, np.array([[0, 1, 2]]), corners, ["body"], "L1")])
    one = [Solid(np.eye(3), np.array([[0, 1, 2]]), np.eye(3), ["body"], f"{k}") for k in range(256)]
    with pytest.raises(ValueError, match="256 regions"):
        pack(one)


@pytest.mark.parametrize("scene", module.SCENES)
def test_every_surface_is_whole_and_looks_outwards(scene):
    shown = view(scene, "L1")
    for vertices, faces, normals, regions in unpack(shown):
        assert volume(vertices, faces) > 0
        assert faces.max() < len(vertices)
        assert regions.min() >= 1
        # A normal points to where its faces look.
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        across = np.cross(b - a, c - a)
        agree = np.einsum("ij,ij->i", across, normals[faces].mean(axis=1)) > 0
        assert np.average(agree, weights=np.linalg.norm(across, axis=1)) > 0.97
    assert len(shown["packed"]) < 1.5e6


@pytest.mark.parametrize("level", ["L1", "T8"])
def test_a_vertebra_has_every_part_on_the_side_it_is_called_by(level):
    scene = view("vertebra", level)
    found = places(scene)
    named = {part for part, _, _ in found}
    assert named >= set(BONE) - {"costal-facet"}
    assert ("costal-facet" in named) == level.startswith("T")
    for (_, side, _), centres in found.items():
        if side:
            assert ((centres[:, 0] > 0) == (side == "right")).all()
    # The frame: x right, y anterior, z cranial.
    middle = {key[0] + key[1]: centres.mean(axis=0) for key, centres in found.items()}
    assert middle["body"][1] > middle["pedicleleft"][1] > middle["laminaleft"][1] > middle["spinous-process"][1]
    assert middle["superior-endplate"][2] > middle["body"][2] > middle["inferior-endplate"][2]
    assert middle["superior-articular-processleft"][2] > middle["inferior-articular-processleft"][2]
    assert middle["transverse-processright"][0] > middle["pedicleright"][0] > 0


def test_the_openings_are_named_by_side_and_segment():
    found = places(view("segment", "L1"))
    for side, sign in (("right", 1), ("left", -1)):
        assert (sign * found["intervertebral-foramen", side, "L1-L2"][:, 0] > 5).all()
    upper, lower = (found["vertebral-canal", "", level][:, 2].mean() for level in ("L1", "L2"))
    assert upper > lower + 20


def test_the_fractured_variant_has_lost_height_in_front_and_only_there():
    normal, broken = (places(view("vertebra", "L1", variant)) for variant in ("normal", "fracture"))

    def front_and_back(found):
        plate = found["superior-endplate", "", "L1"]
        order = plate[:, 1].argsort()
        return plate[order[-60:], 2].mean(), plate[order[:60], 2].mean()

    (front, back), (low, still) = front_and_back(normal), front_and_back(broken)
    height = Vertebra("L1").heights[0]
    assert front - low == pytest.approx(module.WEDGE * height, rel=0.25)
    assert abs(back - still) < 1.5


def test_the_patient_has_the_same_parts_in_the_same_places():
    assert module.IN_CT == ct.LEVELS
    scene = view("vertebra", "L1", "patient")
    found = places(scene)
    textbook = places(view("vertebra", "L1"))
    solid = {key for key in textbook if key[0] in BONE}
    assert found.keys() == solid
    for key in solid:
        # A stranger's vertebra: within a centimetre of the mean one.
        assert np.linalg.norm(found[key].mean(axis=0) - textbook[key].mean(axis=0)) < 10, key
    ((vertices, faces, _, _),) = unpack(scene)
    assert volume(vertices, faces) > 20_000
    # Its landmarks lie on what is called its endplates.
    points = ct.landmarks(ct.patient(), ("L1",))["L1"]
    length = np.linalg.norm(points[0] - points[2])
    assert np.ptp(found["superior-endplate", "", "L1"][:, 1]) == pytest.approx(length, abs=6)


def test_variants_are_offered_where_there_are_any():
    assert [name for name, _ in view("vertebra", "L2")["variants"]] == ["normal", "fracture", "patient"]
    assert [name for name, _ in view("segment", "L2")["variants"]] == ["normal", "fracture"]
    assert [name for name, _ in view("vertebra", "L5")["variants"]] == ["normal", "fracture"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("whole", "L1"), "scene is 'whole'; give one of vertebra, segment, spine"),
        (("vertebra", "L9"), "level is 'L9'; give one of T6"),
        (("segment", "L5"), "level is 'L5', which has no vertebra below it here"),
    ],
)
def test_a_wrong_scene_or_level_is_told_with_the_mend(given, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        anatomy(*given)


def test_every_role_is_cited_or_says_that_it_is_not():
    parts = anatomy_parts()
    known = references()
    assert len({part.id for part in parts}) == len({part.name for part in parts}) == len(parts)
    for part in parts:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", part.id)
        ids = cited(part.role)
        assert ids, part.id
        # A reference nobody opened is never shown as published.
        assert all(name == "unreferenced" or known[name].publishable for name in ids), part.id
        assert part.role.rstrip(".").endswith("]"), part.id


def test_confusions_speak_of_parts_there_are():
    known = {part.id for part in anatomy_parts()}
    for asked, chosen in module.CONFUSIONS.items():
        assert {asked, *chosen} <= known
        assert asked not in chosen
    everything = {region["part"] for scene in module.SCENES for region in view(scene, "L1")["regions"]}
    assert known - everything <= {"costal-facet"}
    assert known >= module.PAIRED


def test_the_widget_changes_its_vertebra_when_asked_and_says_when_it_cannot():
    viewer = anatomy(seed=3)
    assert viewer.scene["variant"] == "normal"
    viewer.wanted = "fracture"
    assert viewer.scene["title"] == "The vertebra L1, with a wedge fracture"
    assert viewer.problem == ""
    viewer.wanted = "nonsense"
    assert "variant is 'nonsense'; give one of normal, fracture, patient" in viewer.problem
    assert viewer.scene["variant"] == "fracture"
    viewer.wanted = "normal"
    assert viewer.problem == ""
    assert viewer.scene["seed"] == anatomy(seed=3).scene["seed"] != anatomy(seed=4).scene["seed"]


def test_the_static_form_is_one_line_and_a_described_picture():
    viewer = anatomy("segment", seed=1)
    assert repr(viewer) == "anatomy viewer: The motion segment L1-L2, 24 parts in six views"
    bundle, _ = viewer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == anatomy("segment", seed=2)._repr_mimebundle_()[0]["text/html"]
    assert 'src="data:image/png;base64,' in bundle["text/html"]
    assert "posterior longitudinal ligament" in bundle["text/html"]


@pytest.mark.parametrize("level", ["T7", "L1", "L5"])
def test_a_vertebra_is_described_without_a_kernel_at_every_level(level):
    bundle, _ = anatomy("vertebra", level)._repr_mimebundle_()
    shown = bundle["text/html"]
    images = re.findall(r"<img [^>]*>", shown)
    assert len(images) == (level == "L1")
    said = [re.search(r'alt="([^"]*)"', image)[1] for image in images] + [re.sub("<[^>]*>", "", shown)]
    for text in said:
        assert f"The vertebra {level} in six views" in text
        assert all(part["name"] in text for part in view("vertebra", level)["parts"])
