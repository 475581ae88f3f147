#!/bin/bash
# Installs what the tests need of Debian's packages (12 bookworm, 13 trixie), and only what is missing. Needs root or sudo.
# What is looked for is the file that is used, not the package: the names of Samba's packages differ between releases,
# and another distribution passes where the files are there.
set -euo pipefail

needs() {
    cat <<'LIST'
/usr/sbin/samba                         samba-ad-dc
/usr/lib/*/samba/ldb/samba_dsdb.so      samba-ad-dc
/usr/lib/*/samba/vfs/acl_xattr.so       samba-ad-dc
/usr/bin/samba-tool                     samba-common-bin
/usr/share/samba/setup/provision.ldif   samba-ad-provision
/usr/bin/ldbmodify                      ldb-tools
/usr/bin/ldapsearch                     ldap-utils
/usr/bin/kinit                          krb5-user
/usr/bin/openssl                        openssl
/usr/lib/postgresql/*/bin/initdb        postgresql
/usr/bin/chromium                       chromium
/usr/bin/node                           nodejs
/usr/bin/npm                            npm
/usr/sbin/bearerbox                     kannel
/usr/sbin/smsbox                        kannel
/usr/bin/python3                        python3
/usr/lib/python3/dist-packages/aiosmtpd/smtp.py python3-aiosmtpd
/usr/bin/cc                             gcc
/usr/include/stdlib.h                   libc6-dev
/usr/bin/git                            git
/usr/bin/pgrep                          procps
/etc/ssl/certs/ca-certificates.crt      ca-certificates
LIST
}

missing() {
    needs | while read -r file package; do
        compgen -G "$file" >/dev/null || echo "$package"
    done | sort -u
}

mapfile -t packages < <(missing)
[ ${#packages[@]} -eq 0 ] && exit 0
echo "Installing what the tests need: ${packages[*]}"
if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here. Install what these packages of Debian hold, and run this again." >&2
    exit 1
fi
root=()
[ "$(id -u)" = 0 ] || root=(sudo)

# Why: the tests start servers of their own; those of the packages would only take ports and memory.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee $policy >/dev/null
    "${root[@]}" chmod 755 $policy
    trap '"${root[@]}" rm -f $policy' EXIT
fi
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
"${apt[@]}" update </dev/null
"${apt[@]}" install --no-install-recommends "${packages[@]}" </dev/null

mapfile -t packages < <(missing)
if [ ${#packages[@]} -ne 0 ]; then
    echo "Installed, and still without the files that the tests use: ${packages[*]}. See the list in $0." >&2
    exit 1
fi
