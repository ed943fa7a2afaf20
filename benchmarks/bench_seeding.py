"""How fast a dataset is made, against the loop that is usually written.

The loop asks Faker for each row and adds ORM objects to a session: once for customers alone (name,
address, company, phone and so on, the row that is usually quoted), once for all columns of all
tables, of which most rows ask Faker for little. All are timed in this process, indexes included,
imports not: medians of interleaved rounds. Prints rows per second and the ratio to both loops.
`--full` also makes 1,000,000 customers on both databases by the command (some minutes,
and some gigabytes in the temporary folder), with the peak of memory: the proportional set size
(PSS), added up over all processes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from faker import Faker
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from target_app import seeding
from target_app.folding import fold
from target_app.models import (
    ACTIVITY_KINDS,
    CURRENCIES,
    CUSTOMER_STATUSES,
    FEEDBACK_STATUSES,
    ORDER_STATUSES,
    SEGMENTS,
    Activity,
    Base,
    Customer,
    Feedback,
    Order,
    OrderItem,
    Product,
    User,
)

LOOP_CUSTOMERS = 2_000  # with what belongs to them, some 40,000 rows
PRICES = range(99, 3_000, 97)
CUSTOMERS = 20_000
FULL = 1_000_000
ROUNDS = 3
_SAMPLES_S = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"also {FULL:,} customers")
    full = parser.parse_args().full
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = {
            "loop, customers": lambda: loop(folder / "loop.sqlite", add_customer),
            "loop, all tables": lambda: loop(folder / "loop.sqlite", add_all),
            f"sqlite, {CUSTOMERS:,}": lambda: made(folder / "sqlite", "sqlite"),
            f"postgres, {CUSTOMERS:,}": lambda: made(folder / "postgres", "postgres"),
        }
        found: dict[str, list[tuple[int, float]]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, run in ways.items():
                found[way].append(run())
        print(
            f"{'':24} {'rows':>11} {'s':>7} {'rows/s':>8} {'ratio to each loop':>18} MiB  on disk"
        )
        reference: list[float] = []
        for way, results in found.items():
            rows, seconds = results[0][0], statistics.median(s for _, s in results)
            if way.startswith("loop"):
                reference.append(rows / seconds)
            print(line(way, rows, seconds, reference), flush=True)
        for database in ("sqlite", "postgres") if full else ():
            print_full(folder / f"{database}-full", database, reference)


def print_full(data: Path, database: str, reference: list[float]) -> None:
    rows, seconds, memory = command(data, FULL, database)
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    text = line(f"{database}, {FULL:,}", rows, seconds, reference)
    print(f"{text} {memory / 2**20:5.0f} {size / 10**6:5.0f} MB", flush=True)
    for attempt in ("first", "second"):
        print(f"  reset, {attempt}: {reset(data, data.with_name('copy')):.2f} s", flush=True)


def line(name: str, rows: int, seconds: float, reference: list[float]) -> str:
    speed = rows / seconds
    ratios = " ".join(f"x {speed / loop:6.1f}" for loop in reference)
    return f"{name:24} {rows:>11,} {seconds:7.1f} {speed:8,.0f}  {ratios:>18}"


def made(folder: Path, database: str) -> tuple[int, float]:
    """Make a dataset as the command does; give the number of rows and the time."""
    began = time.perf_counter()
    found = seeding.seed(folder, customers=CUSTOMERS, seed=1, database=database, force=True)
    return sum(found.manifest.rows.values()), time.perf_counter() - began


def loop(path: Path, add: Callable[[Session, Faker, int], None]) -> tuple[int, float]:
    """Fill the same columns as ours, row by row, in one transaction."""
    path.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    fake = Faker()
    fake.seed_instance(1)
    began = time.perf_counter()
    with Session(engine) as session:
        add_small_tables(session, fake)
        for key in range(1, LOOP_CUSTOMERS + 1):
            add(session, fake, key)
        session.commit()
    seconds = time.perf_counter() - began
    with engine.connect() as connection:
        tables = [table.name for table in Base.metadata.sorted_tables]
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {t}") for t in tables]
        rows = sum(count.scalar_one() for count in counts)
    engine.dispose()
    return rows, seconds


def add_all(session: Session, fake: Faker, key: int) -> None:
    """Add a customer with what belongs to one on average."""
    add_customer(session, fake, key)
    for _ in range(8):
        add_activity(session, fake, key)
    for number in range(3 * key, 3 * key + 3):
        add_order(session, fake, key, number)
    if key % 3 == 0:
        add_feedback(session, fake, key)


def add_small_tables(session: Session, fake: Faker) -> None:
    user = User(id=1, name=fake.name(), email=fake.email(), role="sales", password_hash="")
    user.is_active, user.created_at = True, moment(fake)
    session.add(user)
    for key, price in enumerate(PRICES, 1):
        product = Product(id=key, sku=fake.unique.bothify("??-######"), name=fake.color_name())
        product.category, product.price_cents = fake.word(), price
        session.add(product)


def add_customer(session: Session, fake: Faker, key: int) -> None:
    name, company = fake.name(), fake.company()
    customer = Customer(
        id=key, name=name, name_key=fold(name), email=f"{key}{fake.email()}",
        phone=fake.phone_number(), company=company, company_key=fold(company), city=fake.city(),
        country=fake.country_code(), status=fake.random_element(CUSTOMER_STATUSES),
        segment=fake.random_element(SEGMENTS), owner_id=1, version=1, created_at=moment(fake),
        updated_at=moment(fake),
    )  # fmt: skip
    session.add(customer)


def add_activity(session: Session, fake: Faker, customer: int) -> None:
    kind, body = fake.random_element(ACTIVITY_KINDS), None
    if fake.boolean(60):
        body = fake.text(120)
    activity = Activity(customer_id=customer, user_id=1, kind=kind, subject=fake.sentence())
    activity.body, activity.occurred_at = body, moment(fake)
    session.add(activity)


def add_order(session: Session, fake: Faker, customer: int, number: int) -> None:
    total = 0
    for _ in range(2 + number % 2):
        product, qty = fake.random_int(1, len(PRICES)), fake.random_int(1, 3)
        price = PRICES[product - 1]
        item = OrderItem(order_id=number, product_id=product, qty=qty, unit_price_cents=price)
        session.add(item)
        total += qty * price
    order = Order(
        id=number, number=f"S-{number}", customer_id=customer, total_cents=total, version=1,
        status=fake.random_element(ORDER_STATUSES), currency=fake.random_element(CURRENCIES),
        placed_at=moment(fake),
    )  # fmt: skip
    session.add(order)


def add_feedback(session: Session, fake: Faker, customer: int) -> None:
    feedback = Feedback(
        customer_id=customer, name=fake.name()[:50], email=fake.email(), content=fake.text(200),
        score=fake.random_int(1, 5), nps=fake.random_int(0, 10), created_at=moment(fake),
        status=fake.random_element(FEEDBACK_STATUSES), version=1,
    )  # fmt: skip
    session.add(feedback)


def moment(fake: Faker) -> str:
    return fake.date_time_between("-3y").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def command(folder: Path, customers: int, database: str) -> tuple[int, float, int]:
    """Make a dataset by the command; give the number of rows, the time, the most memory at once."""
    words = ["seed", "--json", "--customers", str(customers), "--database", database]
    words += ["--data", str(folder)]
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "target_app", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory_of(psutil.Process(process.pid)))
            time.sleep(_SAMPLES_S)
        seconds = time.perf_counter() - began
        out, _ = process.communicate()
    if process.returncode:
        sys.exit(process.returncode)
    return sum(json.loads(out)["manifest"]["rows"].values()), seconds, peak


def memory_of(process: psutil.Process) -> int:
    """Add up the memory of a process and of all below it; what they share counts once."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_full_info().pss
    except psutil.NoSuchProcess:  # it ended meanwhile
        pass
    return total


def reset(folder: Path, target: Path) -> float:
    words = ["reset", "--data", str(folder), "--to", str(target / folder.name)]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "target_app", *words], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
