#!/bin/sh
# Make .venv from constraints.txt, or leave it alone when it is already right.
# Usage: sh deploy/environment.sh [python]    from the root of the checkout
set -eu

venv=.venv
stamp=$venv/made-from

fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

python=${1:-}
if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3.13 python3.14 python3; do
        if fits "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        echo "需要 Python 3.11 以上(含 venv) · Python 3.11 or newer with venv is needed: make … PYTHON=/path/to/python3" >&2
        exit 1
    fi
elif ! fits "$python"; then
    echo "$python: 不是带 venv 的 Python 3.11 以上 · is not a Python 3.11 or newer with venv" >&2
    exit 1
fi

# The folder stands in it because scripts name their interpreter by its whole path.
want="$(pwd) $("$python" -V 2>&1) $(cat pyproject.toml constraints.txt deploy/environment.sh | cksum)"
if [ -x $venv/bin/kuomian ] && [ "$(cat $stamp 2>/dev/null)" = "$want" ]; then
    exit 0
fi

echo "准备虚拟环境 · making $venv with $("$python" -V 2>&1)"
rm -f $stamp
"$python" -m venv --clear $venv

# pip says little and late: its lines go to a file, and one growing line shows that it lives.
log=$venv/pip.log
install() {
    (set +e
     "$venv/bin/python" -m pip --disable-pip-version-check install --progress-bar off "$@" 2>&1
     echo $? >$venv/pip.code) | tee -a $log | awk -v terminal="$terminal" '
        /^Collecting/ { n++ }
        /^Collecting/ && terminal { printf "\r  安装 · installing: %d ", n; fflush() }
        /^Collecting/ && !terminal && n % 20 == 0 { printf "  安装 · installing: %d\n", n; fflush() }
        /^(Installing collected|Building|  Building)/ { if (terminal) printf "…"; fflush() }
        END { if (terminal) printf "\r"; if (n) printf "  安装完成 · packages looked at: %d\n", n }'
    if [ "$(cat $venv/pip.code)" != 0 ]; then
        tail -n 20 $log >&2
        echo "安装失败,详见 · installing failed, see $log" >&2
        exit 1
    fi
}
if [ -t 1 ]; then terminal=1; else terminal=; fi

# The build tool first, at its pinned version: an isolated build would fetch any.
install --constraint constraints.txt hatchling
install --constraint constraints.txt --no-build-isolation --editable '.[embedded,dev]'
printf '%s' "$want" >$stamp
