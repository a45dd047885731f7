import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation import EXACT, USUAL, validates
from vertebra.measure import morphometry as m
from vertebra.measure.morphometry import Heights, SixPoints

DEPTH = 34.1


def body(anterior: float, middle: float, posterior: float, depth: float = DEPTH, base: float = 0.0) -> SixPoints:
    """A body on a flat inferior endplate at y = base, posterior wall at x = 0."""
    xs = (depth, depth / 2, 0.0)
    top = [(x, base + h) for x, h in zip(xs, (anterior, middle, posterior), strict=True)]
    return SixPoints.from_array([*top, *((x, base) for x in xs)])


def moved(points: SixPoints, angle: float, scale: float, shift: tuple[float, float]) -> SixPoints:
    c, s = math.cos(angle), math.sin(angle)
    return SixPoints.from_array(scale * points.points @ np.array([[c, s], [-s, c]]) + shift)


NORMAL = body(24, 23, 24)
EVEN = Heights(24.0, 24.0, 24.0)


# --- points and heights


def test_heights_are_the_distances_of_paired_points_in_the_documented_order():
    points = [[30, 20], [15, 18], [0, 25], [30, 0], [18, -4], [3, 1]]
    heights = SixPoints.from_array(points).heights
    assert heights == Heights(20.0, math.hypot(3, 22), math.hypot(3, 24))
    assert m.POINT_NAMES[0] == "superior anterior" and m.POINT_NAMES[5] == "inferior posterior"


def test_endplates_run_from_anterior_to_posterior():
    points = body(18, 17, 24)
    np.testing.assert_array_equal(points.superior_endplate, [[DEPTH, 18], [0, 24]])
    np.testing.assert_array_equal(points.inferior_endplate, [[DEPTH, 0], [0, 0]])


def test_points_cannot_be_changed_afterwards():
    source = NORMAL.points.copy()
    points = SixPoints.from_array(source)
    source[0] = 99
    assert points.points[0, 0] == DEPTH
    with pytest.raises(ValueError, match="read-only"):
        points.points[0, 0] = 1


def bad_points(change: dict[int, tuple[float, float]]) -> np.ndarray:
    points = NORMAL.points.copy()
    for row, value in change.items():
        points[row] = value
    return points


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (np.zeros((5, 2)), r"shape \(6, 2\), not \(5, 2\)"),
        (None, r"shape \(6, 2\)"),
        (bad_points({4: (float("nan"), 0)}), "inferior middle point is .*finite"),
        (bad_points({2: (float("inf"), 0)}), "superior posterior point is .*finite"),
        (bad_points({3: (DEPTH, 24)}), "superior anterior and the inferior anterior point coincide; move"),
        (bad_points({1: (0, 24)}), "superior middle and the superior posterior point coincide; move"),
        (bad_points({1: (DEPTH / 2, -1)}), "superior middle point does not lie cranial"),
        (NORMAL.points * [-1, 1], "check the order of the points and the frame"),
        (NORMAL.points * [1, -1], "check the order of the points and the frame"),
    ],
)
def test_bad_points_are_named(points, words):
    with pytest.raises(ValueError, match=words):
        SixPoints.from_array(points)


@pytest.mark.parametrize("value", [0.0, -3.0, float("nan"), float("inf")])
def test_bad_heights_are_named(value):
    with pytest.raises(ValueError, match=r"middle height is .* mm; give a finite height above 0"):
        Heights(20.0, value, 20.0)
    with pytest.raises(ValueError, match="posterior height"):
        Heights(np.ones(2), np.ones(2), np.array([1.0, value]))


# --- losses, reference, grade


@validates("measure.morphometry", "Height losses", against="sums done by hand", kind="analytic", tolerance=USUAL)
def test_losses_by_hand():
    heights, reference = Heights(15.0, 12.0, 20.0), Heights(24.0, 20.0, 25.0)
    assert m.wedge_loss(heights) == pytest.approx(0.25)
    assert m.biconcavity_loss(heights) == pytest.approx(0.40)
    assert m.crush_loss(heights, reference) == pytest.approx(0.20)
    assert m.anterior_loss(heights, reference) == pytest.approx(0.375)
    assert m.middle_loss(heights, reference) == pytest.approx(0.40)


def test_losses_of_many_bodies_at_once():
    many = Heights(np.array([15.0, 24.0]), np.array([12.0, 24.0]), np.array([20.0, 24.0]))
    np.testing.assert_allclose(m.wedge_loss(many), [0.25, 0.0])
    np.testing.assert_allclose(m.biconcavity_loss(many), [0.40, 0.0])


def test_reference_is_the_mean_of_the_neighbours_times_the_level_ratio():
    above, below = Heights(20.0, 19.0, 22.0), Heights(24.0, 21.0, 24.0)
    assert m.reference_heights(above, below) == Heights(22.0, 20.0, 23.0)
    assert m.reference_heights(above, None) == above
    assert m.reference_heights(None, below) == below
    ratio = m.level_ratio(Heights(22.0, 10.0, 46.0), above, below)
    assert ratio == Heights(1.0, 0.5, 2.0)
    assert m.reference_heights(above, below, ratio) == Heights(22.0, 10.0, 46.0)
    with pytest.raises(ValueError, match="need a neighbour"):
        m.reference_heights(None, None)


@pytest.mark.parametrize(
    ("heights", "shape", "loss"),
    [
        (Heights(24.0, 24.0, 24.0), "normal", 0.0),
        (Heights(19.3, 24.0, 24.0), "normal", 1 - 19.3 / 24),
        (Heights(16.8, 20.0, 24.0), "wedge", 0.30),
        (Heights(22.0, 16.8, 24.0), "biconcave", 0.30),
        (Heights(18.0, 18.0, 24.0), "wedge", 0.25),
        (Heights(16.8, 16.8, 16.8), "crush", 0.30),
        (Heights(24.0, 24.0, 16.8), "crush", 0.30),
        # The trap: a 25 % wedge by its own posterior wall, which is itself crushed by a third.
        (Heights(12.0, 14.0, 16.0), "crush", 0.50),
        # A posterior wall lost by less than 20 % still counts against the neighbours.
        (Heights(14.4, 20.0, 21.6), "wedge", 0.40),
    ],
)
def test_height_loss_takes_the_largest_and_names_the_shape(heights, shape, loss):
    result = m.height_loss(heights, EVEN)
    assert result.shape == shape
    assert result.loss == pytest.approx(loss)
    assert result.loss == max(result.wedge, result.biconcavity, result.crush, result.anterior, result.middle)
    assert result.grade == m.genant_grade(loss)


def test_the_own_posterior_wall_understates_a_crushed_body_by_two_grades():
    crushed = Heights(12.0, 14.0, 15.5)
    assert m.genant_grade(m.wedge_loss(crushed)) == 1
    assert m.height_loss(crushed, EVEN).grade == 3


@validates(
    "measure.morphometry",
    "Genant's grades",
    against="the published limits of 20, 25 and 40 %",
    kind="published",
    tolerance=EXACT,
    source=("genant1993",),
)
@pytest.mark.parametrize(
    ("loss", "grade"),
    [
        (-0.05, 0),
        (0.0, 0),
        (0.1999, 0),
        (1 - 0.8, 1),  # 0.19999999999999996
        (0.2, 1),
        (0.2001, 1),
        (0.2499, 1),
        (0.25, 2),
        (1 - 0.75, 2),
        (0.3999, 2),
        (0.4, 2),
        (1 - 0.6, 2),
        (1 - 14.4 / 24, 2),
        (0.1 + 0.3, 2),
        (0.4001, 3),
        (0.99, 3),
    ],
)
def test_genant_grade_on_both_sides_of_each_cut_off(loss, grade):
    assert m.genant_grade(loss) == grade
    assert m.genant_grade(np.array([loss])).tolist() == [grade]


@pytest.mark.parametrize("posterior", [17.4, 23.8, 26.57])
@pytest.mark.parametrize(("loss", "grade"), [(0.20, 1), (0.25, 2), (0.40, 2)])
def test_a_body_drawn_exactly_on_a_cut_off_keeps_its_grade_wherever_it_lies(posterior, loss, grade):
    drawn = body(posterior * (1 - loss), posterior * (1 - loss / 2), posterior)
    for angle in np.linspace(-1, 1, 7):
        assert m.genant_grade(m.wedge_loss(moved(drawn, angle, 1.3, (40, -200)).heights)) == grade


@pytest.mark.parametrize("loss", [25, 1.0, float("nan"), float("inf")])
def test_a_percentage_is_not_taken_for_a_fraction(loss):
    with pytest.raises(ValueError, match=r"give a fraction below 1, such as 0\.25"):
        m.genant_grade(loss)


# --- uncertainty


@validates(
    "measure.morphometry",
    "Probabilities of the grades under a reader's error",
    against="a simulation of its own",
    kind="computation",
    tolerance="0.035",
)
def test_grade_band_agrees_with_an_independent_simulation():
    vertebra, above, below = body(17, 20, 23.8), body(23, 22, 23), body(24, 23, 24.5)
    band = m.grade_band(vertebra, above, below)
    rng = np.random.default_rng(123)
    losses = []
    for _ in range(4000):
        v, a, b = (
            np.linalg.norm(np.diff((p.points + rng.normal(0, 0.55, (6, 2))).reshape(2, 3, 2), axis=0)[0], axis=-1)
            for p in (vertebra, above, below)
        )
        reference = (a + b) / 2
        losses.append(max(1 - v[0] / v[2], 1 - v[1] / v[2], *(1 - v / reference)))
    grades = np.searchsorted([0.20, 0.25, 0.40], losses, side="right")
    expected = np.bincount(grades, minlength=4) / len(losses)
    assert band.probabilities == pytest.approx(expected, abs=0.035)
    assert (band.loss_low, band.loss_high) == pytest.approx(np.quantile(losses, [0.025, 0.975]), abs=0.012)
    assert band.loss == pytest.approx(max(1 - 17 / 23.8, 1 - 17 / 23.5)) and band.grade == 2


def test_grade_band_probabilities_sum_to_one_and_repeat_with_their_seed():
    args = (body(18.5, 21, 24), NORMAL, NORMAL)
    first, again, other = m.grade_band(*args), m.grade_band(*args), m.grade_band(*args, seed=1)
    assert first == again != other
    assert sum(first.probabilities) == pytest.approx(1)
    assert first.probabilities == pytest.approx(other.probabilities, abs=0.05)
    assert first.loss_low < first.loss < first.loss_high
    assert first.sigma_mm == 0.55 and first.draws == 2000


def test_without_noise_the_band_is_the_grade():
    band = m.grade_band(body(17, 20, 24), NORMAL, NORMAL, sigma=0, draws=5)
    assert band.probabilities == (0, 0, 1, 0)
    assert band.loss_low == pytest.approx(band.loss) == pytest.approx(band.loss_high)


def test_more_noise_widens_the_band():
    widths = []
    for sigma in (0.2, 0.55, 1.0):
        band = m.grade_band(body(17, 20, 24), NORMAL, NORMAL, sigma=sigma)
        widths.append(band.loss_high - band.loss_low)
    assert widths == sorted(widths) and widths[2] > 3 * widths[0]


def test_one_neighbour_is_enough_and_the_level_ratio_reaches_the_band():
    vertebra = body(22, 22, 22)
    assert m.grade_band(vertebra, None, body(22, 22, 22)).loss == pytest.approx(0)
    ratio = Heights(1.5, 1.5, 1.5)
    assert m.grade_band(vertebra, body(22, 22, 22), None, ratio=ratio).loss == pytest.approx(1 / 3)
    assert m.grade_band(vertebra, body(22, 22, 22), None, ratio=ratio).probabilities[2] > 0.8
    with pytest.raises(ValueError, match="need a neighbour"):
        m.grade_band(vertebra, None, None)


def test_a_slider_may_call_the_band():
    vertebra = body(17, 20, 24)
    m.grade_band(vertebra, NORMAL, NORMAL)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        m.grade_band(vertebra, NORMAL, NORMAL)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


@pytest.mark.parametrize("options", [{"sigma": -0.1}, {"sigma": float("nan")}, {"draws": 0}])
def test_bad_noise_is_named(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*give"):
        m.grade_band(NORMAL, NORMAL, NORMAL, **options)


@validates("measure.morphometry", "Limits of agreement", against="sums done by hand", kind="analytic", tolerance=USUAL)
def test_limits_of_agreement_by_hand():
    agreement = m.limits_of_agreement([1, 2, 3, 4], [0, 2, 2, 4])
    sd = math.sqrt(4 * 0.25 / 3)
    assert agreement.bias == pytest.approx(0.5)
    assert (agreement.low, agreement.high) == pytest.approx((0.5 - 1.96 * sd, 0.5 + 1.96 * sd))
    assert agreement.half_width == pytest.approx(1.96 * sd)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ([1], [1], "2 or more"),
        ([1, 2], [1, 2, 3], "same"),
        ([[1, 2]], [[1, 2]], "two lists"),
        ([1, float("nan")], [1, 2], "leave that case out"),
    ],
)
def test_bad_readings_are_named(first, second, words):
    with pytest.raises(ValueError, match=words):
        m.limits_of_agreement(first, second)


@pytest.mark.parametrize(("sigma", "percent"), [(0.3, 6.7), (0.5, 11.2), (0.55, 12.4), (0.7, 15.7), (1.0, 22.7)])
def test_landmark_noise_reproduces_the_limits_between_two_readers(sigma, percent):
    first, second, _ = m.two_readers(sigma)
    agreement = m.limits_of_agreement(first, second)
    assert 100 * agreement.half_width == pytest.approx(percent, abs=0.8)
    assert abs(agreement.bias) < 0.002


def test_about_nine_in_a_hundred_true_fractures_of_the_mixture_are_called_normal():
    first, _, truth = m.two_readers()
    called = m.genant_grade(first)
    assert np.mean(called[m.genant_grade(truth) > 0] == 0) == pytest.approx(0.09, abs=0.02)


# --- angles


def test_wedge_angle_of_a_quarter_lost_at_l1():
    assert m.wedge_angle(0.75 * 23.8, 23.8, 34.1) == pytest.approx(9.9, abs=0.05)
    assert m.wedge_angle(24, 23, 34) < 0 == m.wedge_angle(24, 24, 34)


@pytest.mark.parametrize("lengths", [(0, 20, 30), (20, -1, 30), (20, 20, 0), (20, float("nan"), 30)])
def test_bad_lengths_are_named(lengths):
    with pytest.raises(ValueError, match="give a finite length above 0 mm"):
        m.wedge_angle(*lengths)


def test_kyphosis_of_a_wedge_is_its_wedge_angle_and_positive():
    assert m.vertebral_kyphosis(body(17.85, 20, 23.8)) == pytest.approx(m.wedge_angle(17.85, 23.8, DEPTH))
    assert m.vertebral_kyphosis(body(24, 20, 24)) == pytest.approx(0)
    assert m.vertebral_kyphosis(body(26.5, 24, 22.9)) < 0


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_cobb_angle_is_the_difference_of_the_tilts(superior, inferior):
    def line(tilt):
        return [[30 * math.cos(math.radians(tilt)), 30 * math.sin(math.radians(tilt))], [0, 0]]

    assert m.cobb_angle(line(superior), line(inferior)) == pytest.approx(inferior - superior, abs=1e-9)


def test_local_kyphosis_adds_up_over_bodies_and_parallel_discs():
    above, wedge = body(21, 21, 23, base=30), body(17, 20, 24)
    tilt = math.radians(m.vertebral_kyphosis(wedge))
    # The body above sits on the wedge's superior endplate and leans with it; the one below is square.
    leaning = moved(above, -tilt, 1.0, (0, 0))
    assert m.local_kyphosis(leaning, body(24, 24, 24, base=-40)) == pytest.approx(
        m.vertebral_kyphosis(above) + m.vertebral_kyphosis(wedge)
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [([[0, 0]], "two points"), ([[0, 0], [0, 0]], "coincide"), ([[0, 0], [float("nan"), 1]], "two points")],
)
def test_bad_lines_are_named(line, words):
    with pytest.raises(ValueError, match=f"inferior line.*{words}|{words}.*inferior"):
        m.cobb_angle([[30, 0], [0, 0]], line)


@validates(
    "measure.morphometry",
    "Scatter of a Cobb angle",
    against="a simulation of noisy landmarks",
    kind="computation",
    tolerance="0.05 of the value",
)
def test_cobb_sd_analytic_against_simulation():
    assert m.cobb_sd(0.55, 34) == pytest.approx(1.85, abs=0.005)
    flat = body(24, 24, 24, depth=34)
    rng = np.random.default_rng(7)
    noisy = [m.vertebral_kyphosis(SixPoints.from_array(flat.points + rng.normal(0, 0.55, (6, 2)))) for _ in range(3000)]
    assert np.std(noisy) == pytest.approx(m.cobb_sd(0.55, 34), rel=0.05)
    with pytest.raises(ValueError, match="depth is 0 mm; give"):
        m.cobb_sd(0.55, 0)


# --- invariance

HEIGHT = st.floats(8, 30)


@validates(
    "measure.morphometry",
    "Losses and angles",
    against="themselves, turned, moved and scaled",
    kind="property",
    tolerance="1e-12",
)
@settings(max_examples=60)
@given(HEIGHT, HEIGHT, HEIGHT, st.floats(-math.pi, math.pi), st.floats(0.2, 5), st.floats(-300, 300))
def test_losses_and_angles_do_not_depend_on_rotation_translation_or_scale(ha, hm, hp, angle, scale, shift):
    def measures(transform):
        vertebra, above, below = (transform(b) for b in (body(ha, hm, hp), body(23, 22, 24, base=30), NORMAL))
        reference = m.reference_heights(above.heights, below.heights)
        loss = m.height_loss(vertebra.heights, reference)
        losses = (loss.loss, loss.wedge, loss.biconcavity, loss.crush, loss.anterior, loss.middle)
        angles = (m.vertebral_kyphosis(vertebra), m.local_kyphosis(above, vertebra))
        return np.array([*losses, *np.radians(angles)])

    still = measures(lambda b: b)
    turned = measures(lambda b: moved(b, angle, scale, (0, 0)))
    np.testing.assert_allclose(turned, still, rtol=0, atol=1e-12)
    # A shift of 300 mm costs the small body's coordinates digits in proportion to shift / size.
    shifted = measures(lambda b: moved(b, 0, 1, (shift, -shift)))
    np.testing.assert_allclose(shifted, still, rtol=0, atol=1e-12)


# --- a learner's error


def test_landmark_errors_by_hand():
    truth = body(18, 20, 24)
    placed = truth.points.copy()
    placed[0] += (3, 4)  # superior anterior, 5 mm off
    placed[5] += (0, -2)  # inferior posterior, 2 mm too low
    errors = m.landmark_errors(SixPoints.from_array(placed), truth)
    assert errors.distances_mm == pytest.approx((5, 0, 0, 0, 0, 2))
    assert errors.height_errors_mm == pytest.approx((math.hypot(3, 22) - 18, 0, 2))
    kyphosis = math.atan2(24 - 22, DEPTH + 3) + math.atan2(2, DEPTH)
    assert errors.angle_error_deg == pytest.approx(math.degrees(kyphosis - math.atan2(24 - 18, DEPTH)))


def test_no_error_where_nothing_was_missed():
    errors = m.landmark_errors(NORMAL, NORMAL)
    assert errors == m.LandmarkErrors((0,) * 6, (0, 0, 0), 0)


def test_repeatability_by_hand_and_free_of_bias():
    result = m.repeatability([1, -1, 1, -1])
    assert result.cases == 4 and result.bias == 0
    assert result.within_sd == pytest.approx(math.sqrt(4 / 3))
    assert result.coefficient == pytest.approx(1.96 * math.sqrt(2) * math.sqrt(4 / 3))
    shifted = m.repeatability([11, 9, 11, 9])
    assert shifted.bias == 10 and shifted.within_sd == pytest.approx(result.within_sd)


def test_repeatability_coefficient_covers_95_percent_of_repeated_readings():
    rng = np.random.default_rng(3)
    first, second = rng.normal(1, 2, (2, 4000))
    limit = m.repeatability(first).coefficient
    assert np.mean(np.abs(first - second) < limit) == pytest.approx(0.95, abs=0.015)


def test_half_the_scatter_of_two_readers_limits_is_the_landmark_model():
    first, second, truth = m.two_readers(cases=4000)
    one = m.repeatability(first - truth)
    assert one.coefficient == pytest.approx(m.limits_of_agreement(first, second).half_width, rel=0.05)


@pytest.mark.parametrize(
    ("errors", "words"),
    [([1.0], "2 or more cases"), ([], "2 or more"), ([[1, 2], [3, 4]], "shape"), ([1, float("nan"), 2], "case 2")],
)
def test_bad_errors_are_named(errors, words):
    with pytest.raises(ValueError, match=words):
        m.repeatability(errors)
