"""The vocabulary of employers' names: what is form, branch, state or trade rather than brand.

General words of the language and of the rules on enterprise names (企业名称登记管理规定 1991), not
of any city; places come from the plan, see ``places``.
"""

from __future__ import annotations

import re
from typing import Final


def _listed(text: str) -> tuple[str, ...]:
    """The words of a text, longest first, as an alternative of a pattern needs them."""
    return tuple(sorted(set(text.split()), key=len, reverse=True))


LIMITED: Final = frozenset({"有限公司", "有限责任公司"})
"""Two spellings under which, rarely, two firms stand: a difference for a person."""

COMPANIES: Final = LIMITED | {
    "股份有限公司",
    "股份有限责任公司",
    "股份公司",
    "集团公司",
    "总公司",
    "公司",
}

GROUP: Final = "集团"

_BRANCHES: Final = _listed(
    """
    分公司 支公司 子公司 分店 分厂 分部 分社 分行 支行 分所 分院 分校 支局 分局 分站 分场 分园
    分会 分队 办事处 代表处 分理处 营业部 营业所 储蓄所 连锁店 加盟店 直营店
"""
)
"""Endings that make a name that of a part; never dropped, never taken for one another."""

_ENDINGS: Final = _listed(
    """
    合作社 供销社 信用社 联合社 合伙企业 事务所 门市部 经营部 经销部 服务部 经销处 经销店
    专卖店 工作室 商店 商行 商社 商场 饭店 酒店 药店 书店 餐厅 餐馆 宾馆 旅馆 旅店 酒楼 超市
    市场 医院 诊所 学校 中心 集团 工厂 厂 店 部 站 所 处 社 场 院 行 馆 矿 铺 队 室 园 校 局
    屋 坊 吧 城 庄 楼 户 摊
"""
)
"""Endings that are a registration's form where there is no 公司."""

COMPANY: Final = re.compile(
    "(?P<branch>分公司|支公司|子公司)|"
    "股份有限责任公司|股份有限公司|有限责任公司|有限公司|股份公司|集团公司|总公司|公司"
)
"""The leftmost, longest form in a name; what follows it is the branch's part."""

BRANCH_END: Final = re.compile(f"(?:{'|'.join(_BRANCHES)})$")
ENDING: Final = re.compile(f"(?:{'|'.join(_ENDINGS)})$")

_STATUS: Final = _listed(
    """
    正在筹建 筹建处 筹备处 筹备组 筹建 筹备 筹 已停业 停业 歇业 已歇业 停产 已停产 已注销 注销
    待注销 已吊销 吊销 吊销未注销 吊销已注销 破产 已破产 破产清算 清算 清算中 清算组 已撤销
    撤销 迁出 已迁出 迁入 已转出 转出 已改制 改制 非正常户 非正常 正常 在业 存续 开业 暂停
    空壳 失踪
"""
)
STATUS_BRACKETED: Final = re.compile(rf"[(](?:{'|'.join(_STATUS)}|(?:原|曾用名|旧名)[^()]*)[)]")
STATUS_END: Final = re.compile(
    "(?:已停业|停业|已歇业|歇业|已停产|已注销|待注销|注销|吊销未注销|吊销已注销|已吊销|吊销|已破产"
    "|清算组|已撤销|已迁出|已转出|非正常户|筹建处|筹备处|筹备组)$"
)
"""Bare words are taken off only where no name ends so."""

_TRADES: Final = _listed(
    """
    房地产开发 房产开发 机电设备安装 设备安装 机电安装 水暖安装 建筑安装 建筑装饰 装饰装修
    装饰装潢 装饰工程 建筑工程 建设工程 安装工程 土木工程 市政工程 园林绿化 工程建设 工程监理
    建设监理 工程设计 工程咨询 汽车运输 货物运输 公路运输 道路运输 公共交通 出租汽车 汽车修理
    汽车维修 汽车配件 机动车检测 驾驶培训 物业管理 物业服务 家政服务 保洁服务 保安服务
    餐饮服务 餐饮管理 劳务服务 劳务派遣 人力资源 法律服务 信息技术 信息咨询 网络科技 计算机
    软件开发 软件 电子科技 电子商务 通信技术 通讯器材 通信 通讯 网络 机械制造 机械加工
    机械设备 矿山设备 矿山机械 冶金机械 电器制造 电力设备 电气设备 设备制造 金属制品 塑料制品
    橡胶制品 橡塑制品 木制品 水泥制品 玻璃制品 纸制品 包装制品 钢结构 金属材料 建筑材料
    耐火材料 装饰材料 保温材料 防水材料 防腐 化工产品 化学品 生物制药 生物科技 生物工程
    医疗器械 医药连锁 大药房 再生资源 物资回收 废旧物资 农业开发 农业科技 农副产品 农产品
    土特产 畜牧 养殖 种植 水产 粮油 粮食 供销合作 百货 日杂 五金 交电 土产 食杂 便利 综合 批发
    零售 商贸 贸易 经贸 工贸 物贸 科贸 外贸 商业 实业 产业 企业 物资 物流 仓储 货运 客运 运输
    搬家 装卸 配送 快递 快运 速递 货代 物业 置业 房产 房地产 地产 中介 经纪 建筑 建设 建材
    装饰 装修 装潢 安装 施工 工程 市政 园林 绿化 监理 设计 勘察 测绘 检测 检验 餐饮 食品 饮料
    酒业 饮品 乳业 肉业 快餐 小吃 火锅 烧烤 饺子 面馆 拉面 包子 早餐 麻辣烫 美食 蛋糕 面包
    服装 服饰 鞋业 纺织 针织 布业 家具 家居 家电 电器 电子 电气 电力 电缆 电线 电机 仪表 仪器
    机电 机械 机床 设备 装备 阀门 水泵 泵业 液压 锅炉 变压器 轴承 模具 铸造 锻造 轧钢 钢铁
    特钢 冶金 冶炼 金属 合金 矿业 矿产 煤业 煤炭 石材 石业 石灰 水泥 混凝土 砖瓦 陶瓷 玻璃
    耐火 塑料 橡胶 化工 化学 涂料 油漆 燃料 石油 石化 燃气 液化气 供热 热力 供电 水电 发电
    供水 环保 环卫 节能 新能源 能源 科技 技术 开发 研究 医药 药业 制药 药房 保健 养生 口腔
    眼镜 美容 美发 理发 洗浴 洗染 干洗 洗衣 足疗 按摩 照相 摄影 婚庆 广告 传媒 文化 传播 印刷
    印务 图文 打字 复印 图书 文具 办公用品 教育 培训 幼儿 体育 健身 娱乐 网吧 旅游 旅行 旅行社
    酒店 宾馆 招待 住宿 会计 审计 税务 评估 律师 咨询 代理 招标 拍卖 典当 担保 投资 保险 银行
    信用 融资 租赁 汽车 车业 汽贸 汽配 摩托车 自行车 修理 维修 修配 轮胎 加油 加气 停车 管理
    服务 经营 经销 销售 营销 制造 生产 加工 制品 产品 用品 材料 器材 配件 发展 集团 连锁
    进出口 国际 加工制造 家政
"""
)
TRADE: Final = re.compile("|".join(_TRADES))
"""Words of trade; what is left of a name's core without them is the brand."""
