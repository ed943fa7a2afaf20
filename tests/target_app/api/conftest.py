from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.accounts import Accounts
from tests.support.asking import Crm


@pytest.fixture
def crm(app: Flask, accounts: Accounts) -> Crm:
    return Crm(app, accounts)


@pytest.fixture
def make_crm(make_app: Callable[..., Flask], accounts: Accounts) -> Callable[..., Crm]:
    """Make an application with settings."""
    return lambda **settings: Crm(make_app(**settings), accounts)
