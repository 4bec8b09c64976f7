#!/bin/sh
# What the tests use and only Debian has: installed here where that may be done (root, apt-get),
# else the one line that does it. Under CI=true what is missing at the end is a failure.
# Usage: sh deploy/debian.sh    as often as you like; silent when nothing is missing
set -eu

# program package
wanted='nginx nginx-light
chromium chromium'

missing() {
    echo "$wanted" | while read -r program package; do
        command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || printf ' %s' "$package"
    done
}

packages=$(missing)
[ -n "$packages" ] || exit 0
line="apt-get install --no-install-recommends$packages"

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "安装 · installing:$packages"
    # Installed to be read by, not to be run: no service is started.
    export DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 RUNLEVEL=1
    # shellcheck disable=SC2086
    { apt-get -qq update && apt-get -qq -y install --no-install-recommends $packages; } >/dev/null || true
    packages=$(missing)
    [ -n "$packages" ] || exit 0
fi
echo "缺少$packages,有测试将跳过 · missing, some tests will be skipped: $line" >&2
[ "${CI:-}" != true ]
