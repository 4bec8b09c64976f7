"""Every problem the product can answer with: a stable code, a status and words in two languages.

Codes are part of the API: a department quotes them on the phone, a program branches on them, so
one is never renamed or given another meaning. Details are templates over the problem's ``params``
(``{name}``); a missing parameter shows as "—", never as an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of refusal. ``retry_after`` is in seconds, sent as ``Retry-After``."""

    code: str
    status: int
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str
    retry_after: int | None = None


_TYPES: Final = (
    ProblemType(
        "unauthenticated",
        401,
        "未认证",
        "Not authenticated",
        "请求缺少有效令牌：{reason}。请在 Authorization 头中以 Bearer 方式提供令牌。",
        "No valid token came with the request: {reason}. Send one as Authorization: Bearer.",
    ),
    ProblemType(
        "token-expired",
        401,
        "令牌已过期",
        "Token expired",
        "令牌已过期，请重新取得令牌后再试。",
        "The token has expired; obtain a new one and try again.",
    ),
    ProblemType(
        "forbidden",
        403,
        "无权访问",
        "Forbidden",
        "部门 {department} 无权进行此操作；允许的部门：{allowed}。",
        "Department {department} may not do this; it is open to: {allowed}.",
    ),
    ProblemType(
        "forbidden-feed",
        403,
        "无权报送此数据",
        "Not a sender of this feed",
        "部门 {department} 不能报送 {feed}；允许的部门：{allowed}。",
        "Department {department} may not push {feed}; its senders are: {allowed}.",
    ),
    ProblemType(
        "forbidden-unit",
        403,
        "无权访问该填报单位",
        "Not one of your units",
        "您的令牌不含填报单位 {unit}。",
        "Your token does not cover reporting unit {unit}.",
    ),
    ProblemType(
        "not-found",
        404,
        "未找到",
        "Not found",
        "此地址没有可供查看的内容。",
        "There is nothing to be seen at this address.",
    ),
    ProblemType(
        "feed-unknown",
        404,
        "没有此报送项目",
        "Unknown feed",
        "没有名为 {feed} 的报送项目；本服务的报送项目：{known}。",
        "There is no feed {feed}; the feeds here are: {known}.",
    ),
    ProblemType(
        "delivery-unknown",
        404,
        "没有此报送",
        "Unknown delivery",
        "没有编号为 {delivery} 的报送，或不属于您的部门。",
        "There is no delivery {delivery}, or it is not your department's.",
    ),
    ProblemType(
        "figure-unknown",
        404,
        "没有此指标",
        "Unknown figure",
        "没有指标 {figure}。指标写作 指标.单位.期间.口径，例如 {example}。",
        "There is no figure {figure}; one is written measure.unit.period.kind, as {example}.",
    ),
    ProblemType(
        "method-not-allowed",
        405,
        "不支持的方法",
        "Method not allowed",
        "此地址不支持 {method} 方法。",
        "This address does not take {method}.",
    ),
    ProblemType(
        "not-acceptable",
        406,
        "无法提供所要求的格式",
        "Not acceptable",
        "不能以 {accept} 格式提供；可用格式：{available}。",
        "Not available as {accept}; choose one of: {available}.",
    ),
    ProblemType(
        "malformed-json",
        400,
        "JSON 不完整或有误",
        "Malformed JSON",
        "正文不是合法的 JSON：{reason}。未处理任何记录。",
        "The body is not JSON: {reason}. Nothing was processed.",
    ),
    ProblemType(
        "body-truncated",
        400,
        "正文被截断",
        "Body cut off",
        "正文不完整：{reason}。未处理任何记录，请完整重发。",
        "The body is incomplete: {reason}. Nothing was processed; send it again in full.",
    ),
    ProblemType(
        "body-empty",
        400,
        "正文为空",
        "Empty body",
        "正文中没有记录。本期确无数据的，请明确作零报送（nil=true）。",
        "There is no record in the body. If there is nothing this period, say so with nil=true.",
    ),
    ProblemType(
        "body-too-long",
        413,
        "正文过大",
        "Body too long",
        "正文超过上限 {limit} 字节。请分成几次报送。",
        "The body is longer than {limit} bytes. Split it into several deliveries.",
    ),
    ProblemType(
        "record-too-long",
        413,
        "单条记录过大",
        "Record too long",
        "第 {no} 条记录超过上限 {limit} 字节。",
        "Record {no} is longer than {limit} bytes.",
    ),
    ProblemType(
        "content-type-unsupported",
        415,
        "不支持的内容类型",
        "Unsupported content type",
        "不支持内容类型 {content_type}；可用：{supported}。",
        "Content type {content_type} is not supported; use one of: {supported}.",
    ),
    ProblemType(
        "content-encoding-unsupported",
        415,
        "不支持的内容编码",
        "Unsupported content encoding",
        "不支持内容编码 {content_encoding}；可用：{supported}。",
        "Content encoding {content_encoding} is not supported; use one of: {supported}.",
    ),
    ProblemType(
        "period-invalid",
        422,
        "期间有误",
        "Invalid period",
        "期间 {period} 有误：{reason}。",
        "The period {period} cannot be used: {reason}.",
    ),
    ProblemType(
        "digest-mismatch",
        400,
        "摘要不符",
        "Digest mismatch",
        "正文的 SHA-256 是 {actual}，与请求头所声明的 {stated} 不符；正文可能在途中受损，请重发。",
        "The body's SHA-256 is {actual}, not {stated} as stated; it was damaged on the way, "
        "send it again.",
    ),
    ProblemType(
        "idempotency-key-missing",
        400,
        "缺少报送号",
        "Idempotency-Key missing",
        "请以 Idempotency-Key 头给出本次报送在贵部门的报送号。",
        "State your own number of this delivery in the header Idempotency-Key.",
    ),
    ProblemType(
        "idempotency-key-invalid",
        400,
        "报送号有误",
        "Idempotency-Key invalid",
        "报送号应为 1 至 {limit} 个可打印字符。",
        "The delivery number must have 1 to {limit} printable characters.",
    ),
    ProblemType(
        "idempotency-key-reused",
        422,
        "报送号已用于其他内容",
        "Idempotency-Key reused",
        "报送号 {key} 已用于另一内容的报送 {delivery}：{difference}。更正请使用新的报送号。",
        "Number {key} already stands for delivery {delivery} with other content: {difference}. "
        "Send a correction under a new number.",
    ),
    ProblemType(
        "delivery-running",
        409,
        "报送正在处理",
        "Delivery still running",
        "报送 {delivery} 尚在处理，请稍后查看 {location}。",
        "Delivery {delivery} is still being dealt with; look at {location} later.",
        retry_after=5,
    ),
    ProblemType(
        "conflict",
        409,
        "与当前状态冲突",
        "Conflict",
        "{reason}。",
        "{reason}.",
    ),
    ProblemType(
        "withdrawal-refused",
        409,
        "不能撤回",
        "Cannot be withdrawn",
        "不能撤回：{reason}。",
        "It cannot be withdrawn: {reason}.",
    ),
    ProblemType(
        "record-not-held",
        409,
        "记录未在暂挂",
        "Record is not held",
        "第 {no} 条记录未在暂挂（{disposition}），无需处理。",
        "Record {no} is not held ({disposition}); there is nothing to resolve.",
    ),
    ProblemType(
        "precondition-failed",
        412,
        "内容已被他人修改",
        "Changed by someone else",
        "内容已变为 {etag}，请取得最新内容后再修改。",
        "It is {etag} by now; fetch the latest state and change that.",
    ),
    ProblemType(
        "precondition-required",
        428,
        "缺少 If-Match",
        "If-Match required",
        "修改须以 If-Match 头给出所见内容的 ETag。",
        "State the ETag you saw in the header If-Match.",
    ),
    ProblemType(
        "parameter-invalid",
        422,
        "参数有误",
        "Invalid parameter",
        "请求中有 {count} 处不合要求，见 errors。",
        "{count} things in the request are not as they should be; see errors.",
    ),
    ProblemType(
        "cursor-invalid",
        422,
        "翻页标记有误",
        "Invalid cursor",
        "翻页标记无法识别，请使用上一页给出的 next 链接。",
        "The cursor cannot be read; use the link next as given on the page before.",
    ),
    ProblemType(
        "rate-limited",
        429,
        "请求过于频繁",
        "Too many requests",
        "请求过于频繁，请在 {seconds} 秒后再试。",
        "Too many requests; try again in {seconds} seconds.",
    ),
    ProblemType(
        "database-away",
        503,
        "数据库暂不可用",
        "Database away",
        "数据库暂时不可用，请按 Retry-After 所示稍后重试；同一报送号重发不会重复计数。",
        "The database cannot be reached right now. Try again after Retry-After; sending again "
        "under the same number counts once.",
        retry_after=5,
    ),
    ProblemType(
        "storage-full",
        503,
        "存储空间已满",
        "Storage full",
        "服务器存储空间已满，本次请求未生效。请按 Retry-After 所示稍后重试；"
        "同一报送号重发不会重复计数。",
        "The service is out of storage, and nothing of this request took effect. Try again after "
        "Retry-After; sending again under the same number counts once.",
        retry_after=30,
    ),
    ProblemType(
        "shutting-down",
        503,
        "服务正在停止",
        "Shutting down",
        "本服务实例正在停止，请稍后重试。",
        "This instance is shutting down; try again.",
        retry_after=2,
    ),
    ProblemType(
        "not-available",
        501,
        "本安装未提供",
        "Not available here",
        "本安装未提供此功能：{reason}。",
        "This installation does not offer it: {reason}.",
    ),
    ProblemType(
        "http-error",
        400,
        "请求无法处理",
        "Request not processed",
        "请求无法处理：{reason}。",
        "The request was not processed: {reason}.",
    ),
    ProblemType(
        "internal-error",
        500,
        "内部错误",
        "Internal error",
        "服务内部出错，已记录；联系运维时请提供追踪号 {trace}。",
        "Something went wrong on our side and was logged; quote trace {trace} to the operators.",
    ),
)

CATALOGUE: Final[dict[str, ProblemType]] = {kind.code: kind for kind in _TYPES}
"""Code → problem type."""
