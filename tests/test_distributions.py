"""The distributions in plain Python are those of scipy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from vertebra import distributions as ours

positive = st.floats(0.05, 300)


@given(positive, positive, st.floats(0, 1))
def test_the_share_of_a_beta_below_a_point(a, b, x):
    assert ours.beta_below(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@given(st.floats(0.5, 300), st.floats(0.5, 300), st.floats(0.001, 0.999))
def test_the_quantile_of_a_beta(a, b, chance):
    assert ours.beta_quantile(a, b, chance) == pytest.approx(special.betaincinv(a, b, chance), rel=1e-9)
    assert (ours.beta_quantile(a, b, 0), ours.beta_quantile(a, b, 1)) == (0, 1)


@given(st.floats(1e-4, 0.45), st.integers(1, 200))
def test_the_reach_of_students_t(chance, df):
    assert ours.t_reach(chance, df) == pytest.approx(stats.t.isf(chance, df), rel=1e-9)


@given(st.floats(-5, 300), st.integers(1, 60))
def test_what_lies_above_in_a_chi_square(q, df):
    assert ours.chi2_above(q, df) == pytest.approx(stats.chi2.sf(q, df), rel=1e-9)


@given(st.floats(-30, 200))
def test_the_hazard_of_a_normal(z):
    assert ours.normal_hazard(z) == pytest.approx(math.exp(stats.norm.logpdf(z) - stats.norm.logsf(z)), rel=1e-8)


def test_a_95_percent_interval_reaches_196_standard_errors():
    assert pytest.approx(stats.norm.isf(0.025), rel=1e-15) == ours.Z


@given(st.integers(1, 400), st.integers(1, 400), st.data())
def test_fishers_exact_p(n, m, data):
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    expected = stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert ours.fisher_exact((a, b), (n, m)) == pytest.approx(expected, rel=1e-8)
