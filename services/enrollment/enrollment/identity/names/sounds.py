"""Which characters sound alike, so that a slip of the typist's list of candidates is recognised.

The 3,755 characters of GB 2312's first level stand in the order of their syllables. So a syllable
is a stretch of the code table, and where each begins is all that need be kept. Tones are not told
apart; characters of the second level, ordered by their shape, sound like nothing here.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final

_BEGINNINGS: Final = (
    "啊埃鞍肮凹芭白斑邦苞杯奔崩逼鞭标鳖彬兵玻捕擦猜餐苍操厕层插拆搀昌超车郴撑吃充抽初揣川疮吹春戳"
    "疵聪凑粗蹿摧村磋搭呆耽当刀德蹬堤颠碉跌丁丢东兜督端堆墩掇蛾恩而发藩坊菲芬丰佛否夫噶该干冈篙哥"
    "给根耕工钩辜刮乖棺光瑰辊锅哈骸酣夯壕呵嘿痕哼轰喉呼花槐欢荒灰荤豁击嘉歼僵蕉揭巾荆炯揪鞠捐撅均"
    "喀开刊康考坷肯坑空抠枯夸块宽匡亏坤括垃莱蓝琅捞勒雷棱厘俩联粮撩列琳玲溜龙楼芦驴峦掠抡萝妈埋"
    "瞒芒猫么玫门萌眯棉苗蔑民明谬摸谋拇拿氖南囊挠呢馁嫩能妮蔫娘鸟捏您柠牛脓奴女暖虐挪哦欧啪拍攀乓"
    "抛呸喷砰坯篇飘撇拼乒坡扑期掐牵枪橇切钦青琼秋趋圈缺裙然瓤饶惹壬扔日戎揉茹软蕊闰若撒腮三桑搔瑟"
    "森僧莎筛珊墒梢奢砷声师收蔬刷摔栓霜谁吮说斯松搜苏酸虽孙蓑塌胎坍汤掏特藤梯天挑贴厅通偷凸湍推吞"
    "拖挖歪豌汪威瘟嗡挝巫昔瞎掀相萧楔薪星兄休墟轩靴勋压焉殃邀椰一茵英哟拥幽迂鸳曰耘匝栽咱赃遭责贼"
    "怎增扎摘瞻樟招遮珍蒸芝中舟珠抓拽专桩椎锥谆捉兹鬃邹租钻嘴尊昨"
)
_STARTS: Final = [one.encode("gb2312") for one in _BEGINNINGS]
_LAST: Final = bytes([0xD7, 0xF9])
"""The first level's last character, 座."""


@lru_cache(maxsize=8192)
def syllable(character: str) -> int | None:
    """The number of a character's syllable; None for one outside GB 2312's first level."""
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return None
    return bisect_right(_STARTS, code) if _STARTS[0] <= code <= _LAST else None


def sound_alike(one: str, other: str) -> bool:
    """Whether two characters have one syllable, whatever its tone."""
    first = syllable(one)
    return first is not None and first == syllable(other)
