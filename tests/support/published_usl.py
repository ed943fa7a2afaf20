"""What other tools print for published tables, number by number, beside what we compute."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from analysis.usl import Coefficient, UslFit, fit_usl

DATA = Path(__file__).parents[1] / "analysis" / "data"

NLXB = "R usl 3.0.3 (nlxb)"
LMFIT = "sca_tools (lmfit)"

WHAT_IF_KAPPA = 5e-5
"""R's vignette asks where the peak of specsdm91 would be with this coherency."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A number that a tool printed.

    Attributes
    ----------
    tool, what : str
        Who printed it, and what it is.
    text : str
        As it was printed; a column's trailing zeros are written out.
    ours : float
        The same number, computed here.
    common : str
        Digits on which we agree, where the tool printed more than it had
        (decision 31); else as `text`.
    """

    tool: str
    what: str
    text: str
    ours: float
    common: str

    @property
    def rounded(self) -> str:
        """Our number with as many digits as were printed."""
        return rounded_like(self.ours, self.text)

    @property
    def agrees(self) -> bool:
        """Whether both are the same number with the digits in common."""
        theirs = rounded_like(float(self.text), self.common)
        return rounded_like(self.ours, self.common) == theirs == self.common


def rounded_like(number: float, text: str) -> str:
    """Round a number to the last digit of another one's text, and write it like that."""
    plain = Decimal(text)
    last = Decimal(1).scaleb(int(plain.as_tuple().exponent))
    rounded = Decimal(number).quantize(last)
    if "e" not in text:
        return f"{rounded:f}"
    digits = len(plain.as_tuple().digits) - 1
    return f"{float(rounded):.{digits}e}"


def table(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Loads and throughputs of a published table."""
    rows = np.loadtxt(DATA / f"usl_{name}.csv", delimiter=",", skiprows=2)
    return rows[:, 0], rows[:, 1]


def printed(name: str) -> list[Printed]:
    """Every number that the tools print for a table."""
    load, throughput = table(name)
    fit = fit_usl(load, throughput)
    return _specsdm91(fit) if name == "specsdm91" else _raytracer(fit)


def _one(tool: str, what: str, text: str, ours: float, common: str | None = None) -> Printed:
    return Printed(tool, what, text, ours, text if common is None else common)


def _t(coefficient: Coefficient) -> float:
    return coefficient.value / coefficient.standard_error


def _p(coefficient: Coefficient, df: int) -> float:
    return 2 * float(stdtr(df, -abs(_t(coefficient))))


def _specsdm91(fit: UslFit) -> list[Printed]:
    sigma, kappa, lambda_ = fit.sigma, fit.kappa, fit.lambda_
    df, law = fit.residual_df, fit.law
    best = 1 / sigma.value
    fitted = fit.throughput(fit.load)
    efficiency = fit.observed / fit.load / lambda_.value
    cov = np.array(fit.cov)
    errors = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(errors, errors)
    whatif = ((1 - sigma.value) / WHAT_IF_KAPPA) ** 0.5
    assert law.peak_load is not None
    assert law.peak_throughput is not None
    assert law.asymptote is not None
    return [
        _one(NLXB, "sigma", "0.02773", sigma.value),
        _one(NLXB, "sigma (vignette)", "0.0277285", sigma.value),
        _one(NLXB, "kappa", "0.0001044", kappa.value),
        _one(NLXB, "lambda", "89.9952384", lambda_.value, "89.9952"),
        _one(NLXB, "standard error of sigma", "0.009122", sigma.standard_error),
        _one(NLXB, "standard error of kappa", "1.988e-05", kappa.standard_error),
        _one(NLXB, "standard error of lambda", "14.2134906", lambda_.standard_error, "14.21349"),
        _one(NLXB, "t of sigma", "3.040", _t(sigma)),
        _one(NLXB, "t of kappa", "5.251", _t(kappa)),
        _one(NLXB, "t of lambda", "6.332", _t(lambda_)),
        _one(NLXB, "p of sigma", "0.03841", _p(sigma, df)),
        _one(NLXB, "p of kappa", "0.00629", _p(kappa, df)),
        _one(NLXB, "p of lambda", "0.00318", _p(lambda_, df)),
        _one(NLXB, "residual standard error", "82.85", fit.residual_se),
        _one(NLXB, "degrees of freedom", "4", df),
        _one(NLXB, "peak, load", "96.51956", law.peak_load),
        _one(NLXB, "peak, throughput", "1884", law.peak_throughput),
        _one(NLXB, "limit of throughput", "3245.589", law.asymptote),
        _one(NLXB, "optimum, load", "36.06401", best),
        _one(NLXB, "optimum, throughput", "1542", float(law.throughput(best))),
        _one(NLXB, "peak with kappa 5e-5", "139.4", whatif),
        *_column(NLXB, "fitted", fit, fitted, "90 1078 1541 1850 1879 1822 1646"),
        *_column(
            NLXB,
            "residual",
            fit,
            fit.observed - fitted,
            "-25.10 -81.66 111.09 3.05 -49.99 -46.60 56.00",
        ),
        *_column(
            NLXB,
            "efficiency",
            fit,
            efficiency,
            "0.7211 0.6148 0.5100 0.2860 0.1882 0.1370 0.0876",
        ),
        _one(LMFIT, "lambda", "89.9954927", lambda_.value, "89.995"),
        _one(LMFIT, "sigma", "0.02772863", sigma.value, "0.02773"),
        _one(LMFIT, "kappa", "0.00010437", kappa.value),
        _one(LMFIT, "standard error of lambda", "14.21296", lambda_.standard_error, "14.213"),
        _one(LMFIT, "standard error of sigma", "0.009121", sigma.standard_error, "0.00912"),
        _one(LMFIT, "standard error of kappa", "1.99e-05", kappa.standard_error),
        _one(LMFIT, "chi-square", "27453.72", fit.residual_se**2 * df),
        _one(LMFIT, "reduced chi-square", "6863.43", fit.residual_se**2),
        _one(LMFIT, "correlation lambda, sigma", "0.964", correlation[0, 2]),
        _one(LMFIT, "correlation sigma, kappa", "-0.467", correlation[0, 1]),
        _one(LMFIT, "correlation lambda, kappa", "-0.243", correlation[1, 2]),
    ]


def _raytracer(fit: UslFit) -> list[Printed]:
    sigma, law = fit.sigma, fit.law
    best = 1 / sigma.value
    assert law.asymptote is not None
    return [
        _one(NLXB, "sigma", "0.057771", sigma.value),
        _one(NLXB, "kappa", "0.0", fit.kappa.value),
        _one(NLXB, "lambda", "21.848843", fit.lambda_.value),
        _one(NLXB, "standard error of sigma", "0.013293", sigma.standard_error),
        _one(NLXB, "standard error of kappa", "0.000118", fit.kappa.standard_error),
        _one(NLXB, "standard error of lambda", "2.196165", fit.lambda_.standard_error),
        _one(NLXB, "residual standard error", "9.34", fit.residual_se),
        _one(NLXB, "degrees of freedom", "8", fit.residual_df),
        _one(NLXB, "limit of throughput", "378", law.asymptote),
        _one(NLXB, "optimum, load", "17.3", best),
        _one(NLXB, "optimum, throughput", "195", float(law.throughput(best))),
    ]


def _column(
    tool: str, what: str, fit: UslFit, ours: npt.NDArray[np.float64], texts: str
) -> list[Printed]:
    return [
        _one(tool, f"{what} at {load:g}", text, float(number))
        for load, number, text in zip(fit.load, ours, texts.split(), strict=True)
    ]
