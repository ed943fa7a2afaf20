from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.accounts import Accounts
from tests.support.crm import Crm


@pytest.fixture
def crm(app: Flask, accounts: Accounts) -> Crm:
    return Crm(app, accounts)


@pytest.fixture(scope="module")
def shared_crm(shared_client: FlaskClient, accounts: Accounts) -> Crm:
    """For tests that only read, or that do not mind what others have written."""
    return Crm(shared_client.application, accounts)


@pytest.fixture
def make_crm(make_app: Callable[..., Flask], accounts: Accounts) -> Callable[..., Crm]:
    """Make an application with settings."""
    return lambda **settings: Crm(make_app(**settings), accounts)
