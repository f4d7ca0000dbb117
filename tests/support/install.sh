#!/bin/sh
# Installs the Debian packages that it is given; starts no service and creates no database cluster. Needs root.
set -eu
export DEBIAN_FRONTEND=noninteractive

# One of these at a time, whoever calls; apt itself waits for others.
exec 9>/run/lock/keystead-install.lock
flock 9

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

clusters=/etc/postgresql-common/createcluster.conf
if ! dpkg -s postgresql-common >/dev/null 2>&1 && [ ! -e "$clusters" ]; then
    mkdir -p "${clusters%/*}"
    echo 'create_main_cluster = false' >"$clusters"
fi

apt-get -q update
apt-get -q -y -o DPkg::Lock::Timeout=600 --no-install-recommends -o Dpkg::Options::=--force-confold install "$@"
