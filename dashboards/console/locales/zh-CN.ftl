# 控制台用语，简体中文。键及顺序与 en.ftl 完全一致。

## 框架
brand = 通道
document-title = { $page } · 通道
skip = 跳到正文
nav = 页面
nav-overview = 总览
nav-gates = 闸机
language = 语言
language-zh-CN = 中文
language-en = English
scheme = 配色
scheme-light = 浅色
scheme-dark = 深色
scheme-system = 跟随系统
person-menu = { $user }：设置与退出
sign-out = 退出登录
lock-now = 锁定页面
close = 关闭
cancel = 取消
again = 重试
reload = 重新加载
printed = { $user } 打印于 { $time }
loading = 加载中
none = 无
never = 从未
of = / { $of }
until = 至 { $time }
reason = 原因
reason-needed = 请填写原因，将记入审计。
time = 时间
state = 状态
result = 结果
direction = 方向
link-live = 实时
link-waiting = 连接中
link-stopped = 已断开
stale = 连接已中断。当前画面停留在 { $since }，恢复之前不能操作。
stale-retry =
    { $seconds ->
        [0] 正在重连
       *[other] { $seconds } 秒后重连
    }
stale-stopped = 服务器已结束此连接（{ $reason }）。请重新加载页面。
needs-connection = 连接中断时不可用
hold-hint = 按住确认
hold-again = 再按一次确认
no-server = 无法连接服务器。
no-server-text = 页面会持续重试。
no-page = 没有这个页面
no-page-text = 地址可能有误，或所指内容已不存在。
not-there = 此处没有内容
not-for-you = 您无权查看
not-for-you-text = 您的角色或管辖范围不包含此内容，可请管理员调整。
page-fault = 此页面出现故障
page-fault-text = 其他页面不受影响，详情见浏览器控制台。

## 键盘与命令面板
keys-help = 键盘操作
keys-everywhere = 任何页面
keys-go = 前往
keys-tables = 表格中
keys-tables-text = 方向键逐行移动，Home、End 跳到首尾，回车打开，空格勾选。线网图上可用方向键沿线移动。
key-palette = Ctrl K
key-escape = Esc
go-to = { $page }
palette-open = 查找或执行
palette-placeholder = 页面、车站或操作
palette-none = 没有匹配项
rail-hint-palette = Ctrl K  查找或执行
rail-hint-keys = ?  全部快捷键

## 登录与锁定
sign-in = 登录
sign-in-text = 使用管理员分配的用户名。
sign-in-line = 线网此刻，一页看清。
sign-in-both = 请输入用户名和密码。
demo-people = 演示环境，可直接登录
user = 用户名
password = 密码
session-expired = 会话已结束，登录后可回到原页面。
too-many = 尝试次数过多，请在 { $seconds } 秒后重试。
locked-title = 已锁定
locked-text = { $user } 仍在登录状态，输入密码继续。
unlock = 解锁

## 角色
role-teller = 柜员
role-lobby = 大堂
role-remote_agent = 远程坐席
role-supervisor = 主管
role-gate_operator = 闸机值班员
role-settlement = 清分
role-technician = 技术员
role-manager = 经理
role-inspector = 质检
role-auditor = 审计
role-admin = 管理员

## 总览
verdict-well = 全城运行正常
verdict-stations = { $stations } 个车站需要关注
verdict-slow = 应答过慢：p99 为 { NUMBER($p99, maximumFractionDigits: 0) } 毫秒，闸机超过 { $deadline } 毫秒将自行判定
verdict-emergency = { $emergencies } 个车站处于紧急放行
figure-taps = 过闸
figure-p99 = 应答时间 p99
figure-p99-note = p50 { $p50 } 毫秒，闸机等待 { $deadline } 毫秒
figure-gates = 在线闸机
figure-gates-off = { $count } 台离线
figure-gates-all = 全部在线
figure-alarms = 未处理告警
figure-alarms-acked = { $count } 条已有人处理
figure-money = 本运营日入账
figure-money-note = { $day }，{ $journeys } 次行程
unit-taps-s = 次/秒
unit-ms = 毫秒
span-ms = { $time } 毫秒
span-s = { $time } 秒
chart-taps = 每秒过闸次数
chart-p99 = 应答时间 p99（毫秒）
chart-last = 最近 { $minutes } 分钟
last-minute = 最近 1 分钟
last-minute-city = 最近 1 分钟，全城
histogram = 应答耗时分布
histogram-text =
    { $total ->
        [0] 此期间没有过闸
       *[other] 共 { $total } 次应答，{ $late } 次超过 { $deadline } 毫秒时限
    }
deadline = 闸机等待 { $deadline } 毫秒
refusals = 拒绝原因
refusals-none = 没有拒绝
needs-you = 需要处理
needs-nobody = 目前无需处理
needs-nobody-text = 闸机全部在线，没有未处理告警，也没有特殊模式。
no-stations = 尚无车站
no-stations-text = 车站由站点文件定义，见配置项 sites。
of-stations = 共 { $count } 个车站
network = 线网
open-gates = 打开闸机页
wall = 大屏
wall-toggle = 切换大屏
wall-leave = 退出大屏
gates-off = { $of } 台中 { $count } 台离线
alarms-count = { $count } 条告警
alarms-raised-short = 条未处理
approvals-waiting-short = 项待复核

## 闸机
gates = 闸机
gate = 闸机
station = 车站
stations = 车站
gates-text = { $stations } 个车站，{ $of } 台闸机中 { $online } 台在线
gates-find = 查找车站
gates-show = 显示
gates-show-all = 全部
gates-show-needy = 需关注
gates-none = 没有匹配的车站
gates-empty = 本站没有闸机
map-label = 线网图，共 { $count } 个车站
map-well = 正常
map-mode = 特殊模式
map-alarm = 需关注
map-offline = 离线
map-emergency = 紧急放行
station-line = { $name }：{ $of } 台闸机中 { $online } 台在线，{ $rate } 次/秒，{ $modes }，告警 { $alarms } 条

## 车站
back-to-gates = 返回车站列表
link = 连接
link-online = 在线
link-offline = 离线
link-unknown = 从未上线
service = 服务
service-entry = 进站
service-exit = 出站
service-both = 双向
service-open = 常开
service-closed = 关闭
service-paused = 暂停
service-maintenance = 检修
service-entry-effect = 只允许进站
service-exit-effect = 只允许出站
service-both-effect = 进出站均可
service-open-effect = 闸门常开，照常记录过闸
service-closed-effect = 禁止通行
service-paused-effect = 暂不受理过闸
service-maintenance-effect = 交由技术员检修
service-change = 更改服务
service-title = 更改{ $name }闸机服务
service-choose = 更改为
service-apply = 按住生效
mode = 模式
mode-normal = 正常运营
meanwhile = 期间已由 { $by } 更改。当前：{ $modes }
mode-closed = 车站关闭
mode-train_failure = 列车故障
mode-time_waived = 时间免检
mode-date_waived = 日期免检
mode-fare_waived = 车费免检
mode-order_waived = 进出站次序免检
mode-entry_waived = 进站免检
mode-emergency = 紧急放行
mode-closed-effect = 禁止进站，出站照常计费
mode-train_failure-effect = 乘客免费离站，车票保留有效
mode-time_waived-effect = 不检查停留时间
mode-date_waived-effect = 接受非当日车票
mode-fare_waived-effect = 不扣费
mode-order_waived-effect = 接受缺少进站记录
mode-entry_waived-effect = 无进站记录按最低票价出站
mode-change = 更改模式
mode-title = 更改{ $name }的模式
mode-choose = 选择模式，不选即为正常运营
mode-until = 持续时间
mode-minutes =
    { $minutes ->
        [0] 直到有人解除
       *[other] { $minutes } 分钟
    }
mode-apply = 按住生效
mode-apply-normal = 按住恢复正常
mode-heard = 已生效（{ $rev }）
mode-unheard = 等待 { $rev }
blast = 将影响 { $gates } 台闸机，其中 { $online } 台在线。
blast-normal = 恢复正常运营。
blast-nothing = 目前已是正常运营，请选择要设置的模式。
load = 放行、拒绝
denied = 上一秒拒绝
list-version = 黑名单
list-behind = 黑名单：{ $count } 台未更新
last-tap = 最近过闸
faults = 故障
heat = 闸机逐秒热力
heat-text = { $gates } 台闸机逐秒放行次数
heat-hint = 指向方格查看数值
heat-at = { $gate } 于 { $time }：{ $count } 次
heat-full = { $count } 次及以上
heat-before = { $minutes } 分钟前
heat-now = 现在
taps-newest = 最新过闸
taps-none = 暂无过闸
doubtful =
    { $count ->
        [0] 无存疑记录
       *[other] { $count } 条存疑记录
    }
direction-entry = 进站
direction-exit = 出站
chosen = 已选 { $count } / { $of }
chosen-title = 选择
chosen-clear = 取消选择
choose = 选择 { $gate }

## 变更与确认
change-title = 闸机确认
change-sending = 正在下发
change-progress = { $of } 台中 { $acked } 台已确认
change-missing = 未确认：{ $missing }
change-missing-more = 未确认：{ $missing }，另有 { $more } 台
change-done =
    { $of ->
        [0] 没有需要通知的闸机
       *[other] { $of } 台闸机已全部确认
    }
change-took = 用时 { $time } 毫秒
change-by = { $by } 于 { $time }：{ $reason }

## 紧急放行
emergency = 按住紧急放行
emergency-reason = 控制台紧急放行
release = 解除紧急放行
release-title = 解除{ $name }的紧急放行
release-text = { $gates } 台闸机将恢复服务，须由另一人复核后执行。
release-ask = 申请复核
release-asked = 已申请，等待另一人复核。
waiting-title = 等待复核
waiting-line = { $by } 申请：{ $op }
waiting-reason = { $reason }（{ $time } 前有效）
waiting-other = 须由另一人复核。
waiting-back = 撤回
approve = 按住同意
reject = 驳回
op-station-mode = 更改模式
op-station-release = 解除紧急放行
op-journey-adjust = 行程调整

## 过闸结果
code-OK = 放行
code-DENY_LISTED = 黑名单
code-MEDIUM_EXPIRED = 介质过期
code-BAD_SIGNATURE = 签名错误
code-COUNTER_REGRESS = 计数倒退
code-FROZEN = 账户冻结
code-UNKNOWN_MEDIUM = 未知介质
code-ALREADY_IN = 已进站
code-NO_ENTRY = 无进站记录
code-OVERSTAY = 超时
code-SAME_STATION = 同站进出
code-INSUFFICIENT = 余额不足
code-LIMIT_SINGLE = 超出单次限额
code-LIMIT_DAY = 超出日限额
code-LIMIT_YEAR = 超出年限额
code-STATION_CLOSED = 车站关闭
code-NOT_IN_SERVICE = 闸机未运行
code-WRONG_DIRECTION = 方向不符
code-AISLE_FULL = 通道内人数过多
code-BUSY = 服务器繁忙
code-EXPIRED = 已过时限
code-KEY_REUSED = 编号重复
code-UNKNOWN_DEVICE = 未知设备
code-WAIVED_BY_MODE = 因车站模式免检

## 闸机故障
fault-door_motor = 门电机
fault-reader_dirty = 读卡器脏污
fault-display_dark = 屏幕不亮
fault-sensor_blocked = 传感器受遮挡
fault-door_blocked = 门体受阻
fault-reader = 读卡器
fault-printer = 打印机
fault-tamper = 强行打开
fault-clock = 时钟

## 命令被拒绝
error-other = 被拒绝：{ $code }
error-bad-args = 填写内容有误：{ $field }
error-unknown-op = 服务器不支持此操作。
error-not-found = 管辖范围内没有此对象。
error-forbidden = 您的角色不允许此操作。
error-wrong-state = 当前状态下不能执行。
error-stale-rev = 内容已被他人更改：现已显示最新状态，请查看后再决定。
error-needs-approval = 须先由另一人复核。
error-busy = 服务器繁忙，操作未执行，请重试。
error-expired = 超时，操作未执行。
error-key-reused = 此命令编号已用于其他操作。
error-contradicts = 与现有内容矛盾。
error-taken = 已归他人所有。
error-unauthenticated = 您已退出登录。
error-bad-credentials = 用户名或密码错误。
error-locked = 页面已锁定。
error-bad-origin = 不允许从此地址登录。
error-too-many = 操作过于频繁。
error-internal = 服务器故障，详情见日志。
error-not-sent = 未能及时发送，操作未执行。
error-unknown-outcome = 是否已执行尚不确定，请先查看画面再重试。
error-upstream-unknown = 外部系统尚未答复。

## 告警
nav-alarms = 告警
alarms-text =
    { $raised ->
        [0] 没有待处理告警
       *[other] { $raised } 条待处理
    }
alarms-show = 显示
alarms-show-open = 未结束
alarms-show-all = 全部
alarms-none = 没有未结束的告警
alarms-none-text = 新告警会自动出现在这里。
alarms-keys = 选中一行后：A 接手，Z 暂缓，C 清除，回车打开车站。
alarm = 告警
severity = 级别
severity-critical = 紧急
severity-major = 重要
severity-minor = 次要
severity-warning = 提示
where = 位置
since = 发生
actions = 操作
note = 备注
and-more = 另有 { $more } 台
alarm-times = { $count } 次
alarm-ack = 接手
alarm-snooze = 暂缓
alarm-clear = 清除
alarm-snooze-title = 暂缓：{ $alarm }
alarm-snooze-for = 暂缓时长
alarm-clear-title = 清除：{ $alarm }
alarm-clear-text = 请先确认原因已经消除。
alarm-state-raised = 无人处理
alarm-state-acked = { $owner } 处理中
alarm-state-snoozed = 暂缓至 { $time }
alarm-state-cleared = 已结束
alarm-gates_offline = 闸机离线
alarm-gate_fault = 闸机故障
alarm-emergency_button = 紧急按钮
alarm-fire = 火灾报警
alarm-intrusion = 闯闸
alarm-door = 门未关
alarm-tamper = 强行打开
alarm-journal_reserve = 磁盘空间不足
alarm-clock_step = 时钟跳变
alarm-quarantine = 实体无法读取

## 复核
nav-approvals = 复核
approvals-text = 一人申请，另一人复核后执行。
approvals-waiting = 待复核
approval-stale = 申请提出后车站状态已变化，不能通过。请申请人重新提出。
approvals-none = 没有待复核事项
approvals-none-text = 解除紧急放行和大额减免会出现在这里。
approvals-past = 已处理
approvals-past-none = 暂无已处理事项
approval-by = 申请人
approval-decided = 复核人
approval-left = 剩余 { $minutes } 分钟，{ $time } 前有效
approval-state-pending = 待复核
approval-state-approved = 已同意
approval-state-rejected = 已驳回
approval-state-expired = 已过期
approval-state-done = 已同意并执行
digest = 摘要
arg-station = 车站
arg-modes = 模式
arg-account = 账户
arg-kind = 类型
arg-until = 截止
arg-at = 时间
arg-token = 介质
arg-by = 用户名
arg-user = 用户名
arg-roles = 角色
arg-scope = 管辖范围
arg-device = 设备
arg-site = 站点
arg-reason = 原因
arg-note = 备注
arg-from = 从
arg-to = 至
operation = 操作

## 审计
nav-audit = 审计
audit-text = 谁在何时做了或查看了什么；记录逐条链接，事后无法篡改。
audit-newest = 最新
audit-fault = 设备被拒：{ $fault }
event-account-opened = 开立账户
event-account-credited = 账户充值
event-account-frozen = 冻结账户
event-account-unfrozen = 解冻账户
event-journey-adjusted = 调整行程
event-medium-linked = 关联介质
event-medium-unlinked = 解除介质关联
event-record-struck = 处理存疑记录
event-station-modes_set = 更改模式
event-station-service_set = 更改闸机服务
event-station-alarmed = 告警线路
event-device-added = 添加设备
event-device-rotated = 更换设备密钥
event-device-revoked = 吊销设备
event-order-queued = 下发指令
event-user-added = 添加人员
event-user-password_set = 设置密码
event-user-roles_set = 更改角色
event-user-disabled = 停用人员
event-user-sessions_ended = 结束会话
event-user-token_made = 创建令牌
event-user-token_revoked = 吊销令牌
event-alarm-acked = 接手告警
event-alarm-snoozed = 暂缓告警
event-alarm-cleared = 清除告警
event-approval-requested = 申请复核
event-approval-approved = 复核通过
event-approval-rejected = 驳回
event-session-login = 登录
event-session-refused = 登录被拒
event-token-refused = 令牌被拒
event-session-unlock = 解锁页面
event-session-unlock_refused = 解锁被拒
event-medium-find = 查询介质
event-account-show = 查看账户
event-audit-verify = 校验审计链
wire-bad_credentials = 密钥错误
wire-client_id_mismatch = 客户端标识不符
wire-foreign_will = 越权遗嘱
wire-connect_rate = 连接过于频繁
wire-foreign_topic = 越权主题
wire-foreign_subscription = 越权订阅
wire-retained = 不允许保留消息
wire-packet_too_large = 报文过大
wire-message_rate = 消息过多
wire-malformed_packet = 报文格式错误
wire-bad_payload = 内容无法解析
wire-refused = 内容被拒
wire-taken_over = 被新连接接管
wire-keep_alive = 失去心跳
wire-slow_reader = 接收过慢
wire-revoked = 已吊销
audit-search = 搜索
audit-live = 返回实时
audit-from = 从
audit-to = 至
audit-op = 操作开头
audit-who = 人员
audit-nobody = 无
audit-what = 操作
audit-whom = 对象
audit-found = 结果
audit-count = { $count } 条
audit-more = 继续向前搜索
audit-not-all = 更早的时间可能还有记录。
audit-not-yet = 目前没有找到：更早的时间尚未搜索。
audit-all = 整个时间段已搜索完毕。
audit-none = 此期间没有记录
audit-only = 显示内容
audit-only-people = 人员操作
audit-only-faults = 设备故障
audit-only-all = 全部
audit-span-missing = 请填写起止时间。
audit-span-backwards = 结束时间早于开始时间。
audit-verify = 校验链
audit-verified = 完整无缺：已读取 { $records } 条记录，未被篡改。
audit-verifying = 截至 { $until } 的 { $records } 条记录完整无缺……
audit-broken = 链已断裂：{ $fault }

## 设备
nav-devices = 设备
devices-text = 现场设备的期望状态与上报状态。
devices-find = 查找设备
devices-by-id = 或按设备编号
open = 打开
open-station = 打开车站
device = 设备
kind = 类型
kind-gate = 闸机
kind-kiosk = 自助终端
kind-robot = 机器人
kind-display = 显示屏
site = 站点区域
firmware = 固件
device-add = 添加设备
device-add-both = 请填写设备编号和站点区域。
device-id-hint = 字母、数字和连字符，设定后不可更改。
device-secret = { $device } 的密钥
device-secret-text = 请将其作为密码写入设备。
device-rotate = 更换密钥
device-rotate-title = 更换 { $device } 的密钥
device-rotate-text = 旧密钥立即失效，写入新密钥前设备无法连接。
device-rotate-hold = 按住更换
device-revoke = 吊销
device-revoke-title = 吊销 { $device }
device-revoke-text = 即刻起不再允许该设备连接。
device-revoke-hold = 按住吊销
device-revoked = 已吊销
last-seen = 最近通信 { $ago }
device-last = 最近过闸 { $time }：{ $direction }，{ $result }
once-gone = 操作已完成，但连接在显示密钥前中断，系统未保存该密钥。请重新生成。
once-text = 仅显示这一次，系统不以可读形式保存。
once-kept = 我已保存
copy = 复制
copied = 已复制
twin = 期望与上报
desired = 期望
reported = 上报（{ $time }）
reported-never = 从未上报
twin-differs = 不一致
mode-rev = 模式版本
orders = 指令
orders-none = 暂无指令
order = 指令
order-give = 下发指令
order-title = 向 { $device } 下发指令
order-send = 下发
order-sending = 下发中
order-within = 有效时间
order-seconds =
    { $seconds ->
        [3600] 1 小时
        [300] 5 分钟
        [60] 1 分钟
       *[other] { $seconds } 秒
    }
order-restart = 重启
order-maintain = 进入检修
order-resume = 恢复服务
order-config = 加载配置
order-test_print = 打印测试
order-state-queued = 等待设备
order-state-sent = 已下发
order-state-done = 已完成
order-state-failed = 失败
order-state-expired = 已过期
history = 历史
history-none = 暂无记录
history-online = 上线
history-offline = 离线
history-state = 状态
history-fault = 故障
history-alarm = 报警
history-mode = 模式
history-command = 指令
history-added = 添加
history-rotated = 更换密钥
history-revoked = 吊销

## 客服中心
nav-desk = 客服中心
desk-text = 查找介质，查看行程，处理异常。
desk-find = 查找
desk-audited = 每次查看都会记入审计。
desk-empty = 请刷卡或输入介质编号
desk-empty-text = 离开本页后不保留任何乘客信息。
desk-demo = 演示环境，可试用以下介质：
desk-demo-stuck = { $token }（受阻）
medium = 介质
medium-token = 介质编号或完整二维码
medium-none = 没有此编号的介质。
account = 账户 { $account }
account-state-open = 正常
account-state-frozen = 已冻结
balance = 余额
held = 预占
wallet-class = 类别
passenger-adult = 全价
passenger-stored_value = 储值
passenger-pupil = 学生
journey = 行程
journeys = 行程
journeys-none = 没有行程
journey-both = { $from }至{ $to }
journey-entry = 于{ $from }进站，尚未出站
journey-exit = 于{ $to }出站，无进站记录
journey-none = 当前没有行程
journey-state-open = 在途
journey-state-closed = 已结束
journey-state-missing_exit = 缺出站
journey-state-missing_entry = 缺进站
journey-state-overstay = 超时
journey-state-same_station = 同站进出
journey-state-adjusted = 已调整
journey-state-waived = 已减免
journey-state-settled = 已清分
fare-rule-ladder = 按里程计价
fare-rule-matrix = 按起讫站票价表计价
fare-rule-zones = 按区域计价
fare-rule-flat = 单一票价
fare-rule-same_station = 同站进出
fare-rule-same_station_refused = 同站进出，闸机不予放行
fare-rule-overstay = 超时：最高票价另加车费
fare-rule-transfer = 限时换乘优惠
fare-rule-cap = 已达封顶“{ $cap }”
fare-rule-missing_exit = 运营日结束仍无出站记录
fare-rule-missing_entry = 无进站记录
fare-rule-waived = 免收车费
fare-table = 票价表 { $table }，自 { $date } 起
fare = 车费
taps = 过闸记录
postings = 账目
postings-none = 没有账目
posting-cause = 来源
posting-tap = { $device } 过闸
posting-record = { $device } 离线记录
posting-pending = 待定
posting-final = 已入账
posting-provisional = 暂记
posting-void = 已作废
amount = 金额
adjust-add_entry = 补进站
adjust-add_exit = 补出站
adjust-overstay = 补收超时
adjust-waive = 减免
adjust-add_entry-text = 乘客由此进站，但闸机没有记录。
adjust-add_exit-text = 乘客由此出站，按行程计费。
adjust-overstay-text = 按本站最高单程票价补收，之后可正常出站。
adjust-waive-text = 不收费结束行程，超过限额须由另一人复核。
adjust-hold = 按住调整
adjust-done = 已调整，收取 { $fare }
adjust-asked = 已申请，等待另一人复核。
unfreeze = 解冻
unfreeze-text = 恢复受理此账户的过闸，请先核实冻结原因。
unfreeze-hold = 按住解冻
unfreeze-done = 账户已恢复正常。
op-medium-unfreeze = 解冻账户

## 管理
nav-admin = 管理
admin-text = 谁可以登录、担任什么角色、管辖哪里。
users = 人员
users-none = 暂无人员
users-count = { $count } 人
user-you = 本人
user-add = 添加人员
user-roles = 更改
user-roles-title = { $user } 的权限
user-incomplete = 请填写用户名，至少选择一个角色和管辖范围。
user-password = { $user } 的初始密码
user-password-text = 请以他人看不到的方式交给本人。
user-disabled = 已停用
user-disable = 停用
user-disable-title = 停用 { $user }
user-disable-text = 立即退出登录且不能再次登录，其操作记录保留在审计中。
user-disable-hold = 按住停用
user-disable-done = { $user } 已停用。
user-end = 结束会话
user-end-title = 结束 { $user } 的会话
user-end-text = 在所有位置退出登录，可重新登录。
user-end-hold = 按住结束
user-end-done = { $user } 的会话已结束。
tokens = 令牌
tokens-count =
    { $count ->
        [0] 尚无令牌
       *[other] { $count } 个令牌
    }
tokens-title = { $user } 的令牌
tokens-text = 程序凭令牌登录，权限不超过本人。重启后仍有效，直至到期、吊销或本人被停用。
tokens-none = 当前没有有效令牌。
token-all = 全部角色
token-until = 有效期至 { $date }
token-used = 最近使用约 { $time }
token-unused = 从未使用
token-revoke = 按住吊销
token-new = 新建本人令牌
token-name = 用途
token-days = 有效期
token-days-of = { $days } 天
token-roles = 仅限角色（不选即全部角色）
token-make = 创建
token-made = 新令牌
token-made-text = 程序以“Authorization: Bearer …”发送。
roles = 角色
scope = 管辖范围
scope-all = 全部
scope-sites = 站点区域
scope-stations = 车站
scope-sites-of = 站点区域：{ $sites }
scope-stations-of = 车站：{ $stations }
scope-hint = 编号，以逗号分隔
sessions =
    { $count ->
        [0] 未登录
       *[other] { $count } 个会话
    }
added = 添加于
save = 保存
