"""Names that are plainly samples: 示例 stands in every organisation's."""

from __future__ import annotations

from random import Random

_BRANDS = [
    "鸿泰",
    "瑞丰",
    "明达",
    "永兴",
    "恒通",
    "金桥",
    "盛源",
    "华茂",
    "润泽",
    "嘉禾",
    "宏图",
    "新纪",
    "东升",
    "远航",
    "佳和",
    "万顺",
    "天成",
    "正阳",
]
_BRANDS += [
    "兴隆",
    "安居",
    "利民",
    "德信",
    "福来",
    "康乐",
    "祥云",
    "长青",
    "百川",
    "同心",
    "广厦",
    "顺达",
    "晨光",
    "银河",
    "凯旋",
    "聚贤",
    "众合",
]
_ENDINGS = [
    "甲",
    "乙",
    "丙",
    "丁",
    "戊",
    "己",
    "庚",
    "辛",
    "壬",
    "癸",
    "子",
    "丑",
    "寅",
    "卯",
    "辰",
    "巳",
    "午",
    "未",
    "申",
    "酉",
    "戌",
    "亥",
]
_SURNAMES = [
    "王",
    "李",
    "张",
    "刘",
    "陈",
    "杨",
    "赵",
    "黄",
    "周",
    "吴",
    "徐",
    "孙",
    "胡",
    "朱",
    "高",
    "林",
    "何",
    "郭",
    "马",
    "罗",
    "梁",
    "宋",
    "郑",
    "谢",
    "韩",
    "唐",
    "冯",
    "于",
    "董",
    "萧",
]
_GIVEN = [
    "示一",
    "示二",
    "例三",
    "例四",
    "样五",
    "样六",
    "示华",
    "例明",
    "样文",
    "示玲",
    "例军",
    "样霞",
    "示涛",
    "例敏",
    "样强",
    "示兰",
]

TRADES = {
    "67": "餐饮", "82": "居民服务", "83": "服务", "47": "建筑安装", "48": "土木工程", "49": "装饰",
    "52": "汽车运输", "53": "货运", "63": "商贸", "65": "超市", "31": "水泥", "32": "冶金", "35": "机械",
    "26": "化工", "06": "煤业", "13": "食品", "72": "物业", "60": "信息", "74": "咨询", "66": "宾馆",
}  # fmt: skip
"""GB/T 4754-2002 divisions used, with a word for names."""


def enterprise(rng: Random, city: str, industry: str, number: int) -> str:
    """An enterprise's name, distinct by its number."""
    brand = rng.choice(_BRANDS) + _ENDINGS[number % len(_ENDINGS)]
    return f"{city}示例{brand}{TRADES[industry]}{number}号有限公司"


def household(rng: Random, unit_name: str, industry: str, number: int) -> str:
    """An individual household's name."""
    return f"{unit_name}示例{rng.choice(_BRANDS)}{TRADES[industry]}{number}号店"


def person(number: int) -> str:
    """A person's name; people are told apart by number, not by name."""
    return _SURNAMES[number % len(_SURNAMES)] + _GIVEN[(number // len(_SURNAMES)) % len(_GIVEN)]


def namesake(number: int) -> str:
    """Another name with the surname of the person of this number."""
    return person(number + len(_SURNAMES))


def representative(number: int) -> str:
    """A legal representative's name: ten thousand of them, so that few bear the same by chance."""
    return person(number) + _ENDINGS[number // (len(_SURNAMES) * len(_GIVEN)) % len(_ENDINGS)]
