#!/bin/bash
# Throwaway Samba AD DC on loopback for tests. Samba 4.17 and 4.22. Needs root, samba, openssl, ldap-utils, ldb-tools,
# and exchange-schema.ldif, exchange-schema-2-class.ldif, exchange-schema-3-attach.ldif beside this script.
#   samba.sh build TPL         once: provision + Exchange schema + policy + OUs + service account + delegation (AD_SDDL) + CA
#   samba.sh clone TPL DIR IP  clone TPL to DIR (short path: unix sockets) with a certificate for IP (127.x.y.z)
#   samba.sh up DIR IP         serve DIR on IP
#   samba.sh stop DIR          clean stop; DIR stays
# administrator@csb.test / Adm1n-Passw0rd!   svc-idm@csb.test / Svc-Passw0rd-1!   CA: DIR/private/tls/ca.pem
# Env: AD_MODEL=single|prefork|standard  AD_NOSYNC=yes|no  AD_SERVICES="ldap, cldap, kdc"  AD_EXTRA="more smb.conf lines"
#      AD_PRELOAD=/path/fastpbkdf2.so (optional: faster password writes)
set -euo pipefail
PW='Adm1n-Passw0rd!' SVCPW='Svc-Passw0rd-1!' BASE=DC=csb,DC=test
HERE=$(dirname "$(readlink -f "$0")")
LDIFS="exchange-schema exchange-schema-2-class exchange-schema-3-attach"
conf() { local D=$1 IP=$2; cat > "$D/smb.conf" <<C
[global]
  netbios name = DC1
  realm = CSB.TEST
  workgroup = CSB
  server role = active directory domain controller
  server services = ${AD_SERVICES:-ldap, cldap, kdc}
  interfaces = $IP/8
  bind interfaces only = yes
  private dir = $D/private
  state directory = $D/state
  cache directory = $D/cache
  lock directory = $D
  pid directory = $D/run
  ncalrpc dir = $D/run/ncalrpc
  binddns dir = $D/bind-dns
  ntp signd socket directory = $D/run/ntp_signd
  winbindd socket directory = $D/run/winbindd
  tls keyfile = $D/private/tls/key.pem
  tls certfile = $D/private/tls/cert.pem
  tls cafile = $D/private/tls/ca.pem
  ldb:nosync = ${AD_NOSYNC:-yes}
  old password allowed period = 0
  logging = file
  log file = $D/log.%m
${AD_EXTRA:-}
C
}
ca() { local T=$1/private/tls; openssl ecparam -name prime256v1 -genkey -noout -out $T/ca.key 2>/dev/null
  openssl req -x509 -new -key $T/ca.key -sha256 -days 3650 -subj "/CN=Throwaway AD test CA" -out $T/ca.pem -config /dev/stdin <<C
[req]
distinguished_name=dn
x509_extensions=v3
[dn]
[v3]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
C
}
cert() { local T=$1/private/tls IP=$2; openssl ecparam -name prime256v1 -genkey -noout -out $T/key.pem 2>/dev/null; chmod 600 $T/key.pem $T/ca.key
  openssl req -new -key $T/key.pem -subj "/CN=dc1.csb.test" -out $T/req.pem
  openssl x509 -req -in $T/req.pem -CA $T/ca.pem -CAkey $T/ca.key -set_serial 0x$(openssl rand -hex 8) -sha256 -days 825 -out $T/cert.pem -extfile /dev/stdin 2>/dev/null <<C
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:dc1.csb.test,DNS:csb.test,DNS:localhost,IP:$IP
C
}
case ${1:-} in
build) T=$(readlink -m "$2"); DB=$T/private/sam.ldb
  for f in $LDIFS; do [ -r "$HERE/$f.ldif" ] || { echo "missing $HERE/$f.ldif" >&2; exit 2; }; done
  rm -rf "$T"; mkdir -p "$T"
  samba-tool domain provision -q --targetdir="$T" --realm=CSB.TEST --domain=CSB --server-role=dc --dns-backend=NONE \
    --adminpass="$PW" --host-name=dc1 --host-ip=127.0.0.10 >"$T.provision.log" 2>&1 || { cat "$T.provision.log" >&2; exit 1; }; mv "$T.provision.log" "$T/provision.log"
  mkdir -p "$T"/{cache,run,bind-dns,private/tls}; ca "$T"; cert "$T" 127.0.0.10; conf "$T" 127.0.0.10; export SMB_CONF_PATH=$T/smb.conf
  for f in $LDIFS; do ldbmodify -H "$DB" --option="dsdb:schema update allowed=true" "$HERE/$f.ldif" >/dev/null; done
  samba-tool domain passwordsettings set -H "$DB" --min-pwd-age=0 --min-pwd-length=10 --history-length=5 --account-lockout-threshold=3 >/dev/null
  for o in CSB ServiceAccounts; do samba-tool ou create OU=$o,$BASE -H "$DB" >/dev/null; done
  samba-tool user create svc-idm "$SVCPW" --userou=OU=ServiceAccounts -H "$DB" >/dev/null
  samba-tool user setexpiry svc-idm --noexpiry -H "$DB" >/dev/null
  SID=$(ldbsearch -H "$DB" sAMAccountName=svc-idm objectSid 2>/dev/null | awk '/^objectSid/{print $2}')
  for o in Ayrilanlar Yerlesmemis Merkez Tasra Gruplar; do samba-tool ou create OU=$o,OU=CSB,$BASE -H "$DB" >/dev/null; done
  samba-tool ou create OU=Elsewhere,$BASE -H "$DB" >/dev/null
  samba-tool group add "Tasra Personeli" --groupou=OU=Gruplar,OU=CSB -H "$DB" >/dev/null
  # Exactly what the program itself prints as its delegation.
  samba-tool dsacl set -H "$DB" --objectdn=OU=CSB,$BASE --sddl="${AD_SDDL//@SID@/$SID}" >/dev/null ;;
clone) T=$2 D=$(readlink -m "$3") IP=$4
  [ -e "$D" ] && { echo "$D exists" >&2; exit 2; }
  cp -a "$T" "$D"; conf "$D" "$IP"; cert "$D" "$IP" ;;
up) D=$(readlink -m "$2") IP=$3
  LD_PRELOAD=${AD_PRELOAD:-} samba -F --no-process-group -M "${AD_MODEL:-single}" -s "$D/smb.conf" --debug-stdout >"$D/stdout.log" 2>&1 </dev/null &
  P=$!; echo $P >"$D/samba.pid"
  for i in $(seq 300); do
    # Why no verification: a test may have given it a bad certificate on purpose.
    LDAPTLS_REQCERT=never timeout 2 ldapsearch -x -o nettimeout=2 -H "ldaps://$IP" -s base -b '' dn >/dev/null 2>&1 && exit 0
    readlink /proc/$P/exe >/dev/null 2>&1 || break; sleep 0.05; done
  echo "samba did not come up; see $D/stdout.log" >&2; tail -5 "$D/stdout.log" >&2; kill $P 2>/dev/null || :; exit 1 ;;
stop) D=$(readlink -m "$2"); [ -r "$D/samba.pid" ] || exit 0; P=$(cat "$D/samba.pid")
  if grep -q samba "/proc/$P/comm" 2>/dev/null; then kill -CONT "$P"; kill "$P"; for i in $(seq 200); do readlink "/proc/$P/exe" >/dev/null 2>&1 || break; sleep 0.05; done; fi
  rm -f "$D/samba.pid" ;;
*) sed -n '2,10p' "$0"; exit 2 ;;
esac
