"""The tables.

Keys are integers, money is integer cents, and a moment is text in UTC with microseconds and a Z
(``2026-01-01T00:00:00.000000Z``): fixed width, so it sorts as text, it reads the same on every
database, and an answer needs no parsing. Text that a list or a search is ordered by compares by
code point on every database.

Each row keeps the id of the request that wrote it, so that what was acknowledged can be looked up
afterwards; what changes or removes a row instead of adding one leaves a row in `Change`. Unique
rules are indexes rather than constraints: a dataset is filled first and indexed then.
"""

from typing import TYPE_CHECKING, Annotated, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Table, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base of every table."""


db = SQLAlchemy(model_class=Base)

# A type checker cannot follow the class that Flask-SQLAlchemy makes at run time.
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def _by_code_point(longest: int) -> String:
    """Give a type of text that sorts alike everywhere: PostgreSQL would ask the server's locale."""
    return String(longest).with_variant(String(longest, collation="C"), "postgresql")


# SQLite makes a key the row id, and so fast, only when its type is spelled INTEGER.
_KEY = BigInteger().with_variant(Integer(), "sqlite")
_MOMENT = _by_code_point(27)

Key = Annotated[int, mapped_column(_KEY, primary_key=True)]
Reference = Annotated[int, mapped_column(BigInteger)]
Moment = Annotated[str, mapped_column(_MOMENT)]
Later = Annotated[str | None, mapped_column(_MOMENT)]
RequestId = Annotated[str | None, mapped_column(String(64))]
Version = Annotated[int, mapped_column(Integer, default=1)]

STAFF_ROLES = ("sales", "support", "marketing", "manager", "admin")
ROLES = (*STAFF_ROLES, "portal")
CUSTOMER_STATUSES = ("lead", "active", "inactive", "churned")
SEGMENTS = ("consumer", "small_business", "enterprise")
ACTIVITY_KINDS = ("call", "email", "meeting", "note", "task")
ORDER_STATUSES = ("new", "paid", "shipped", "cancelled")
CURRENCIES = ("USD", "EUR", "GBP")
FEEDBACK_STATUSES = ("new", "answered", "resolved")
CHANGED = ("customer", "order", "feedback")


def _written(table: str) -> Index:
    """Index the rows that requests wrote: none of the seeded ones, so it stays small."""
    there = text("request_id IS NOT NULL")
    return Index(f"{table}_request", "request_id", postgresql_where=there, sqlite_where=there)


class User(Model):
    """Somebody with an account: staff, or a customer on the portal."""

    __tablename__ = "users"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(_by_code_point(254))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(Boolean)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    """Of a portal account: whose orders it sees. (No foreign key: customers refer to users.)"""
    created_at: Mapped[Moment]

    __table_args__ = (
        Index("users_email", "email", unique=True),
        Index("users_customer", "customer_id"),
    )


class ApiToken(Model):
    """A bearer token. Only its hash is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    token_sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[Moment]

    __table_args__ = (Index("api_tokens_token", "token_sha256", unique=True),)


class Customer(Model):
    """A person or company that buys, or may one day."""

    __tablename__ = "customers"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    name_key: Mapped[str] = mapped_column(_by_code_point(120))
    """The name as it is searched for: see `target_app.folding`."""
    email: Mapped[str] = mapped_column(_by_code_point(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    company: Mapped[str | None] = mapped_column(String(120))
    company_key: Mapped[str | None] = mapped_column(_by_code_point(120))
    city: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    status: Mapped[str] = mapped_column(String(16))
    segment: Mapped[str] = mapped_column(String(16))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[Version]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("customers_email", "email", unique=True),
        Index("customers_created", "created_at", "id"),
        Index("customers_portfolio", "owner_id", "created_at", "id"),
        Index("customers_owner", "owner_id", "status", "created_at", "id"),
        Index("customers_status", "status", "created_at", "id"),
        Index("customers_name", "name_key", "id"),
        Index("customers_owner_name", "owner_id", "name_key", "id"),
        Index("customers_company", "company_key", "id"),
        Index("customers_owner_company", "owner_id", "company_key", "id"),
        _written("customers"),
        # The only rows that can be removed: else SQLite gives the newest one's number to the next,
        # and who still knows that number meets somebody else.
        {"sqlite_autoincrement": True},
    )


class Activity(Model):
    """What somebody did with a customer: the timeline."""

    __tablename__ = "activities"

    id: Mapped[Key]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str | None] = mapped_column(String(2000))
    occurred_at: Mapped[Moment]
    request_id: Mapped[RequestId]

    __table_args__ = (_written("activities"),)


Index(
    "activities_customer",
    Activity.customer_id,
    Activity.occurred_at.desc(),
    Activity.id.desc(),
)


class Product(Model):
    """Something that can be ordered."""

    __tablename__ = "products"

    id: Mapped[Key]
    sku: Mapped[str] = mapped_column(_by_code_point(32))
    name: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(40))
    price_cents: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        Index("products_sku", "sku", unique=True),
        Index("products_category", "category"),
    )


class Order(Model):
    """What one customer ordered at one moment."""

    __tablename__ = "orders"

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(_by_code_point(24))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Of the customer, kept here as well: a portfolio's list is read from one index then."""
    status: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    total_cents: Mapped[int] = mapped_column(BigInteger)
    placed_at: Mapped[Moment]
    version: Mapped[Version]
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("orders_number", "number", unique=True),
        Index("orders_status", "status", "placed_at"),
        Index("orders_placed", "placed_at", "id"),
        # The status is last: one that is asked for is looked for within the index.
        Index("orders_owner", "owner_id", "placed_at", "id", "status"),
        _written("orders"),
    )


Index("orders_customer", Order.customer_id, Order.placed_at.desc(), Order.id.desc())


class OrderItem(Model):
    """One line of an order, at the price of that moment."""

    __tablename__ = "order_items"

    id: Mapped[Key]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    qty: Mapped[int] = mapped_column(Integer)
    unit_price_cents: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("order_items_order", "order_id"),
        Index("order_items_product", "product_id"),
    )


class Feedback(Model):
    """What somebody told us, customer or not."""

    __tablename__ = "feedback"

    id: Mapped[Key]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    """Of the customer, as with orders; None without a customer."""
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(String(500))
    score: Mapped[int | None] = mapped_column(Integer)
    nps: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Moment]
    first_response_at: Mapped[Later]
    resolved_at: Mapped[Later]
    assigned_to: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    version: Mapped[Version]
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("feedback_created", "created_at", "id"),
        Index("feedback_customer", "customer_id", "created_at"),
        Index("feedback_status", "status", "created_at", "id"),
        Index("feedback_owner", "owner_id", "created_at", "id", "status"),
        _written("feedback"),
    )


class Response(Model):
    """What we answered to feedback."""

    __tablename__ = "responses"

    id: Mapped[Key]
    feedback_id: Mapped[int] = mapped_column(ForeignKey("feedback.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str] = mapped_column(String(2000))
    created_at: Mapped[Moment]
    request_id: Mapped[RequestId]

    __table_args__ = (Index("responses_feedback", "feedback_id", "id"), _written("responses"))


class Change(Model):
    """A record was changed or removed: by whom, when, by which request."""

    __tablename__ = "changes"

    id: Mapped[Key]
    subject: Mapped[str] = mapped_column(String(16))
    record_id: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    request_id: Mapped[RequestId]

    __table_args__ = (Index("changes_record", "subject", "record_id", "id"), _written("changes"))


class IdempotencyKey(Model):
    """The answer to a request that its sender may send again."""

    __tablename__ = "idempotency_keys"

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str] = mapped_column(_by_code_point(64))
    request_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    location: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]

    __table_args__ = (
        Index("idempotency_keys_key", "user_id", "key", unique=True),
        Index("idempotency_keys_created", "created_at"),
    )


class Dataset(Model):
    """The manifest of the dataset that this database was seeded with: one row, or none."""

    __tablename__ = "dataset"

    id: Mapped[Key]
    manifest: Mapped[str] = mapped_column(Text)


def table_of(model: type[Base]) -> Table:
    """
    Give the table of a model: statements over its columns pass the ORM by, and cost half.

    Parameters
    ----------
    model : type
        One of the classes above.

    Returns
    -------
    Table
    """
    return cast(Table, model.__table__)
