"""The tables.

Keys are integers, money is integer cents, and a moment is text in UTC with microseconds and a Z
(``2026-01-01T00:00:00.000000Z``): fixed width, so it sorts as text, and an answer needs no parsing.
Each row keeps the id of the request that wrote it, so that what was acknowledged can be looked up
afterwards. Unique rules are indexes rather than constraints: a dataset is filled first and indexed
then.
"""

from typing import TYPE_CHECKING, Annotated, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Table, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base of every table."""


db = SQLAlchemy(model_class=Base)

# A type checker cannot follow the class that Flask-SQLAlchemy makes at run time.
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model

# SQLite makes a key the row id, and so fast, only when its type is spelled INTEGER.
_KEY = BigInteger().with_variant(Integer(), "sqlite")

Key = Annotated[int, mapped_column(_KEY, primary_key=True)]
Moment = Annotated[str, mapped_column(String(27))]
RequestId = Annotated[str | None, mapped_column(String(64))]
Version = Annotated[int, mapped_column(Integer, default=1)]

CUSTOMER_STATUSES = ("lead", "active", "inactive", "churned")
SEGMENTS = ("consumer", "small_business", "enterprise")
ORDER_STATUSES = ("new", "paid", "shipped", "cancelled")
CURRENCIES = ("USD", "EUR", "GBP")
FEEDBACK_STATUSES = ("new", "answered", "resolved")


class Customer(Model):
    """A person or company that buys, or may one day."""

    __tablename__ = "customers"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    company: Mapped[str | None] = mapped_column(String(120))
    city: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    status: Mapped[str] = mapped_column(String(16))
    segment: Mapped[str] = mapped_column(String(16))
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[Version]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("customers_email", "email", unique=True),
        Index("customers_created", "created_at", "id"),
        Index("customers_owner", "owner_id", "status", "id"),
        Index("customers_status", "status", "updated_at"),
        Index("customers_name", func.lower(name)),
    )


class Product(Model):
    """Something that can be ordered."""

    __tablename__ = "products"

    id: Mapped[Key]
    sku: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(40))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("products_sku", "sku", unique=True),
        Index("products_category", "category"),
    )


class Order(Model):
    """What one customer ordered at one moment."""

    __tablename__ = "orders"

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(24))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
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
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(100))
    content: Mapped[str] = mapped_column(String(500))
    score: Mapped[int | None] = mapped_column(Integer)
    nps: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Moment]
    first_response_at: Mapped[str | None] = mapped_column(String(27))
    resolved_at: Mapped[str | None] = mapped_column(String(27))
    assigned_to: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[Version]
    request_id: Mapped[RequestId]

    __table_args__ = (
        Index("feedback_created", "created_at", "id"),
        Index("feedback_customer", "customer_id", "created_at"),
        Index("feedback_status", "status", "created_at"),
    )


class Dataset(Model):
    """The manifest of the dataset that this database was seeded with: one row, or none."""

    __tablename__ = "dataset"

    id: Mapped[Key]
    manifest: Mapped[str]


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
