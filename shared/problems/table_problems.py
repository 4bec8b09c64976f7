"""Problems of a table as a whole (CSV, XLSX); part of the catalogue."""

from __future__ import annotations

from typing import Final

from shared.problems.kind import ProblemType

TABLE_PROBLEMS: Final = (
    ProblemType(
        "table-form-wrong",
        415,
        "文件格式与所称不符",
        "Another kind of file",
        "正文应为 {expected} 表格，实为 {found}。旧版 .xls 请另存为 .xlsx；未处理任何记录。",
        "The body should be a {expected} table but is {found}. "
        "Save an old .xls as .xlsx. Nothing was processed.",
    ),
    ProblemType(
        "table-encrypted",
        422,
        "表格已加密",
        "Encrypted workbook",
        "表格设有打开密码，不能读取；请取消密码后再报。",
        "The workbook is protected by a password and cannot be read; remove it and send again.",
    ),
    ProblemType(
        "table-damaged",
        422,
        "文件已损坏",
        "Damaged file",
        "文件不完整或已损坏：{reason}。未处理任何记录。",
        "The file is incomplete or damaged: {reason}. Nothing was processed.",
    ),
    ProblemType(
        "table-too-large",
        413,
        "表格过大",
        "Table too large",
        "表格超出可读取的上限（{what}，上限 {limit}）。",
        "The table is beyond what can be read ({what}, limit {limit}).",
    ),
    ProblemType(
        "table-too-wide",
        422,
        "表格列数过多",
        "Too many columns",
        "第 {row} 行的列数超过上限 {limit}。",
        "Row {row} has more than {limit} columns.",
    ),
    ProblemType(
        "table-line-too-long",
        422,
        "行过长",
        "Line too long",
        "第 {line} 行超过 {limit} 个字符；可能缺少换行或引号未闭合。",
        "Line {line} is longer than {limit} characters; "
        "a line break or a closing quote may be missing.",
    ),
    ProblemType(
        "table-encoding",
        422,
        "编码混杂",
        "Mixed encodings",
        "第 {line} 行的文字不是 {encoding} 编码：同一文件混用了几种编码。请统一编码后再报。",
        "Line {line} is not {encoding}: the file mixes encodings. Save it in one and send again.",
    ),
    ProblemType(
        "table-heading-missing",
        422,
        "找不到表头",
        "No heading found",
        "表格前部没有可识别的列名。应有：{fields}。所见首行：{seen}。可为本部门保存列名对应（mapping）。",
        "No known headings in the first rows. Expected: {fields}. "
        "First row seen: {seen}. Your department may save a mapping of its headings.",
    ),
    ProblemType(
        "table-column-missing",
        422,
        "缺少必需的列",
        "Required column missing",
        "缺少列：{fields}。第 {rows} 行表头中未对应的列名有：{seen}。"
        "可改列名，或为本部门保存列名对应（mapping）。",
        "Missing columns: {fields}. Headings in row {rows} that stand for no field: {seen}. "
        "Rename them or save a mapping.",
    ),
    ProblemType(
        "table-column-twice",
        422,
        "同一项目有两列",
        "Two columns for one field",
        "“{field}”对应了两列：{columns}。请只保留一列，或用列名对应（mapping）指明。",
        "Two columns stand for {field}: {columns}. Keep one, or say which with a mapping.",
    ),
    ProblemType(
        "table-sheet-unknown",
        422,
        "没有此工作表",
        "Unknown sheet",
        "没有名为 {sheet} 的工作表；有：{sheets}。",
        "There is no sheet {sheet}; there are: {sheets}.",
    ),
    ProblemType(
        "table-sheet-unclear",
        422,
        "不能确定工作表",
        "Which sheet",
        "有几个工作表都像所报的表：{sheets}。请用 sheet= 指明。",
        "Several sheets look like the table: {sheets}. Say which with sheet=.",
    ),
    ProblemType(
        "table-period-differs",
        422,
        "标题期间与所报期间不符",
        "The title names another period",
        "标题写的是 {said}，所报期间是 {period}（标题：{title}）。请核对后再报。",
        "The title says {said}, the delivery is for {period} (title: {title}). "
        "Check and send again.",
    ),
    ProblemType(
        "table-unit-unclear",
        422,
        "计量单位不明",
        "Which unit",
        "表头上方写了两种金额单位：{first}；{second}。请只写一种，或写在列名中。",
        "Two units of money stand above the headings: {first}; {second}. State one, or state them "
        "in the headings.",
    ),
    ProblemType(
        "mapping-invalid",
        422,
        "列名对应有误",
        "Invalid mapping",
        "列名对应有误：{reason}。",
        "The mapping is not valid: {reason}.",
    ),
    ProblemType(
        "not-a-table",
        409,
        "不是表格",
        "Not a table",
        "报送 {delivery} 是以 {content_type} 报送的，没有可加注的表格。",
        "Delivery {delivery} was sent as {content_type}; there is no table to annotate.",
    ),
)
"""See ``catalogue``."""
