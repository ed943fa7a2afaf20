"""What differs between the two locales beside Faker's words: countries, numbers, goods, writing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """A locale."""

    countries: tuple[str, ...]
    country_shares: tuple[float, ...]
    prefixes: tuple[str, ...]
    """What telephone numbers begin with, by country."""
    digits: tuple[int, int]
    """The least and the most of the rest of a number, read as one."""
    groups: tuple[int, int]
    """How many digits its last two groups have."""
    goods: dict[str, tuple[str, ...]]
    """What is sold, by category; a product is one of these in one of Faker's colours."""
    family_first: bool
    """Whether a name is the last name and then the first, with nothing between."""
    romanized: bool
    """Whether names have to be written in Latin letters for an address."""
    spaced: bool
    """Whether there are spaces between words."""


_GOODS = {
    "Furniture": ("Desk", "Chair", "Bookshelf", "Filing Cabinet", "Standing Desk", "Stool"),
    "Lighting": ("Desk Lamp", "Floor Lamp", "Light Strip", "Reading Light"),
    "Paper": ("Notebook", "Envelope Set", "Sketch Pad", "Label Roll", "Calendar"),
    "Writing": ("Fountain Pen", "Marker Set", "Pencil Case", "Whiteboard"),
    "Storage": ("Storage Box", "Drawer Unit", "Document Tray", "Key Safe"),
    "Kitchen": ("Mug", "Kettle", "Water Bottle", "Lunch Box", "Tea Set"),
    "Bags": ("Backpack", "Laptop Sleeve", "Messenger Bag", "Travel Case"),
    "Devices": ("Headset", "Keyboard", "Webcam", "Desk Fan", "Power Bank"),
}
_GOODS_ZH = {
    "家具": ("书桌", "椅子", "书架", "文件柜", "升降桌", "凳子"),
    "灯具": ("台灯", "落地灯", "灯带", "阅读灯"),
    "纸品": ("笔记本", "信封套装", "素描本", "标签卷", "日历"),
    "文具": ("钢笔", "马克笔套装", "笔盒", "白板"),
    "收纳": ("收纳箱", "抽屉柜", "文件盘", "钥匙箱"),
    "厨房": ("马克杯", "水壶", "水杯", "饭盒", "茶具"),
    "箱包": ("背包", "电脑包", "邮差包", "旅行箱"),
    "数码": ("耳机", "键盘", "摄像头", "桌面风扇", "充电宝"),
}

PLACES = {
    "en_US": Places(
        countries=("US", "CA", "GB", "AU"),
        country_shares=(0.80, 0.10, 0.06, 0.04),
        prefixes=("+1", "+1", "+44", "+61"),
        digits=(2_000_000_000, 9_999_999_999),
        groups=(3, 4),
        goods=_GOODS,
        family_first=False,
        romanized=False,
        spaced=True,
    ),
    "zh_CN": Places(
        countries=("CN", "HK", "TW", "SG"),
        country_shares=(0.94, 0.03, 0.02, 0.01),
        prefixes=("+86", "+852", "+886", "+65"),
        digits=(13_000_000_000, 19_999_999_999),
        groups=(4, 4),
        goods=_GOODS_ZH,
        family_first=True,
        romanized=True,
        spaced=False,
    ),
}
