import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.load_table import LEAST, MOST, LoadTable, read_table
from scenarios.errors import UsageError


def read(text: str, load: str | None = None, throughput: str | None = None) -> LoadTable:
    return read_table(text, name="levels.csv", load=load, throughput=throughput)


@pytest.mark.parametrize(
    "text",
    [
        "users,rps\n1,64.9\n18,995.9\n",
        "\ufeffUsers,RPS\r\n1,64.9\r\n18,995.9\r\n",
        "# measured on Monday\n\nusers;throughput (req/s)\n1;64.9\n# a pause\n18;995.9",
        "host\tTPS\tconcurrency\tusers_per_host\na\t64.9\t1\t7\na\t995.9\t18\t8\n",
        "N,X\n1,64.9\n18,9.959e2\n",
        "1,64.9\n18,995.9\n",
        "users;rps\n1;64,9\n18;995,9\n",
        "1;64,9\n18;9,959E+02\n",
        "sep=;\r\nusers;rps\r\n1;64,9\r\n18;995,9\r\n",
        "\ufeffSEP=,\nusers,rps\n1,64.9\n18,995.9\n",
        '"sep=\t"\nusers\trps\n1\t64,9\n18\t995,9\n',
        "sep=|\nusers|rps\n1|64,9\n18|995,9\n",
        "time,a,b\nnoon,1,64.9\nnoon,18,995.9\n",
        '"Threads","Throughput"\n"1","64.9"\n"18","995.9"\n',
    ],
)
def test_columns_are_found(text: str) -> None:
    assert read(text).rows == ((1.0, 64.9), (18.0, 995.9))


@pytest.mark.parametrize(
    ("delimiter", "written", "expected", "doubtful"),
    [
        (";", ["1.652,4", "64,9"], [1652.4, 64.9], None),
        (";", ["1 652,4", "1\u202f652", "1\u00a0652.5"], [1652.4, 1652.0, 1652.5], None),
        (";", ["1.652.000", "0,5"], [1652000.0, 0.5], None),
        (";", ["1,003", "64"], [1.003, 64.0], "1,003"),
        (";", ["1.652", "64.9"], [1.652, 64.9], None),
        ("\t", ["1,003", "64,9"], [1.003, 64.9], None),
        (",", ["1.652", "64"], [1.652, 64.0], None),
        ("\t", ["1.652", "64"], [1.652, 64.0], "1.652"),
    ],
)
def test_a_comma_that_parts_no_fields_may_part_decimals(
    delimiter: str, written: list[str], expected: list[float], doubtful: str | None
) -> None:
    lines = [f"{load}{delimiter}{x}" for load, x in enumerate(written, 1)]
    table = read("\n".join([f"users{delimiter}rps", *lines]))
    assert [x for _, x in table.rows] == expected
    assert table.doubtful == doubtful, "a number that no other explains"


def test_rows_before_the_load_began_are_left_out() -> None:
    history = (
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count\n"
        "1,0,,Aggregated,0.000000,0.000000,N/A,0\n"
        "2,0,,Aggregated,0.000000,0.000000,N/A,0\n"
        "3,5,,Aggregated,12.5,0.000000,4,25\n"
    )
    table = read(history)
    assert (table.rows, table.left_out) == (((5.0, 12.5),), (2, 3))
    assert (table.load_column, table.throughput_column) == ("User Count", "Requests/s")


def test_columns_are_named_by_whoever_asks() -> None:
    text = "users,p95,ok,all\n1,20,64.9,70\n18,30,995.9,999\n"
    for load, throughput in (("users", "ok"), ("USERS", "3"), ("1", "OK")):
        table = read(text, load, throughput)
        assert table.rows == ((1.0, 64.9), (18.0, 995.9))
        assert (table.load_column, table.throughput_column) == ("users", "ok")


@pytest.mark.parametrize(
    ("column", "axis"),
    [("users", "users"), ("VUs", "users"), ("in flight", "in_flight"), ("N", "load")],
)
def test_the_name_of_the_column_says_what_loads_are(column: str, axis: str) -> None:
    assert read(f"{column},rps\n1,2\n").axis == axis


def test_a_load_that_comes_again_is_a_row_again() -> None:
    assert len(read("users,rps\n1,2\n1,3\n").rows) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found no rows"),
        ("# nothing\n\n", "found no rows"),
        ("users,rps\n", "a line of names and no rows"),
        ("users\n1\n2\n", "found one column"),
        ("a,b,c\n1,2,3\n", "which column is the load is not clear; found: a, b, c"),
        ("users,threads,rps\n1,2,3\n", "which column is the load is not clear"),
        ("users,rps\n1,2\n0,3\n", "line 3: users: found '0'; allowed: a number above 0"),
        ("users,rps\n1,-2\n", "line 2: rps: found '-2'; allowed: a number 0 or more"),
        ("users,rps\n1,nan\n", "line 2: rps: found 'nan'"),
        ("users,rps\n1,inf\n", "line 2: rps: found 'inf'"),
        ("users,rps\n1,\n", "line 2: rps: found nothing"),
        ("users,rps\n1,2 ms\n", "line 2: rps: found '2 ms'"),
        ('users,rps\n18,"1,003"\n', "write 1003 or 1.003, whichever is meant"),
        ('users,rps\n18,"64,9"\n', "a decimal comma? write 64.9"),
        ('users,rps\n18,"1.652,4"\n', "a decimal comma? write 1652.4"),
        ("users;rps\n1;1.652\n2;64,9\n", "line 2: rps: found '1.652'; allowed: a number"),
        ("users;rps\n1;1.652\n2;64,9\n", "write 1652 or 1,652, whichever is meant"),
        ("users;rps\n1;1,652\n2;64.9\n", "write 1652 or 1.652, whichever is meant"),
        ("users\trps\n1\t1,652\n", "write 1652 or 1.652, whichever is meant"),
        ("users;rps\n1;1,652\n2;64.9\n3;64,9\n", "other numbers have decimal points, and others"),
        ("users;rps\n1;1,652.4\n", "write 1652.4"),
        ("users,rps\n0,5\n", "line 2: users: found '0'; allowed: a number above 0"),
        ("users,rps\n0,0\n0,0.0\n", "found load 0 and throughput 0 in every row"),
        ("users,rps\n1,1e300\n", "line 2: rps: found '1e300'; allowed: a number 0 or more: 0, or"),
        ("users,rps\n2e12,1\n", "line 2: users: found '2e12'; allowed: a number above 0: 1e-9 to"),
        ("users,rps\n1e-300,1e-300\n", "has 2 mistakes"),
        ("sep=ab\nusersabrps\n", "levels.csv:1: sep=: found 'ab'; allowed: a comma"),
        ('users,rps\n1,"2\n' + "3,4\n" * 40_000, "a quotation mark that is not closed?"),
        ("users,rps\n1,64,9\n", "found 3 fields; allowed: 2; if these are decimal commas"),
        ("users,rps\n1\n", "line 2: found 1 fields; allowed: 2"),
        ("users,rps\n1_000,2\n", "found '1_000'"),
    ],
)
def test_a_mistake_is_said_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        read(text)
    assert "levels.csv" in error.value.message
    assert expected in error.value.message


def test_all_mistakes_are_said_together() -> None:
    with pytest.raises(UsageError) as error:
        read("users,rps\n0,1\nx,y\n\n# so\n3,-1\n")
    assert "has 4 mistakes" in error.value.message
    for line in ("line 2: users", "line 3: users", "line 3: rps", "line 6: rps"):
        assert line in error.value.message


def test_of_very_many_mistakes_the_first_are_shown() -> None:
    with pytest.raises(UsageError) as error:
        read("users,rps\n" + "x,1\n" * 500)
    assert "has 500 mistakes" in error.value.message
    assert "and 480 more" in error.value.message


@pytest.mark.parametrize("column", ["speed", "0", "3", "²"])
def test_a_column_that_is_not_there_is_refused(column: str) -> None:
    with pytest.raises(UsageError, match="allowed: users, rps, or 1 to 2"):
        read("users,rps\n1,2\n", load=column)


def test_both_columns_that_are_not_there_are_said() -> None:
    with pytest.raises(UsageError) as error:
        read("users,rps\n1,2\n", load="nope", throughput="nada")
    assert "--load nope: found no column" in error.value.message
    assert "--throughput nada: found no column" in error.value.message


def test_one_column_cannot_be_both() -> None:
    with pytest.raises(UsageError, match="cannot be both"):
        read("users,rps\n1,2\n", load="users", throughput="users")


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.text(alphabet=st.sampled_from("usepr,;=|\t\n\"'#.-+e0123456789ü\ufeff\x00_ "), max_size=80)
)
def test_any_text_is_a_table_or_a_message(text: str) -> None:
    try:
        table = read(text)
    except UsageError:
        return  # anything else is a traceback for the user
    assert table.rows
    assert all(LEAST <= load <= MOST and 0 <= x <= MOST for load, x in table.rows)
