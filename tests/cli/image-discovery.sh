#!/bin/bash
# The DHCP script of the discovery system, with recorded commands instead of ip(8): what a lease turns into.
. "$(dirname "$0")/../lib.sh"
requires awk sed
make_tmp
mkdir -p "$TMP/bin" "$TMP/run/dns" "$TMP/run/ntp" "$TMP/sys/eth0" "$TMP/etc"
echo 3 >"$TMP/sys/eth0/ifindex"
printf '#!/bin/sh\necho "$@" >>"%s/calls"\n' "$TMP" >"$TMP/bin/ip"
chmod +x "$TMP/bin/ip"
# The same script on other folders.
sed -e "s:/run/slipway:$TMP/run:g" -e "s:/sys/class/net:$TMP/sys:g" -e "s:/etc/resolv.conf:$TMP/etc/resolv.conf:g" \
	-e "s|^export PATH=.*|export PATH=$TMP/bin:/usr/bin:/bin|" "$TOP/imagebuilder/discovery/dhcp" >"$TMP/dhcp"

lease() { # lease EVENT [VARIABLE=VALUE...]
	local event=$1
	shift
	: >"$TMP/calls"
	env -i interface=eth0 "$@" sh "$TMP/dhcp" "$event"
}
called() { grep -qxF -- "$1" "$TMP/calls" || fail "not called: ip $1; but: $(cat "$TMP/calls")"; }
has() { [ "$(cat "$1")" = "$2" ] || fail "$1 is: $(cat "$1")"; }

lease bound ip=10.0.2.15 mask=24 broadcast=10.0.2.255 router='10.0.2.2 10.0.2.3' dns='10.0.2.3 1.1.1.1' domain=example.test ntpsrv='10.0.2.4 10.0.2.4'
called '-4 addr add 10.0.2.15/24 broadcast 10.0.2.255 dev eth0'
called '-4 route replace default via 10.0.2.2 dev eth0 metric 103'
called '-4 route replace default via 10.0.2.3 dev eth0 metric 104'
has "$TMP/etc/resolv.conf" $'nameserver 10.0.2.3\nnameserver 1.1.1.1\nsearch example.test'
has "$TMP/run/dhcp-ntp" 10.0.2.4
[ -e "$TMP/run/network-up" ] || fail "network-up is missing"

# RFC 3442: classless routes instead of the router
lease renew ip=10.0.2.15 mask=24 router=10.0.2.2 staticroutes='0.0.0.0/0 10.0.2.9 192.168.0.0/16 0.0.0.0' mtu=1400 dns=10.0.2.3
called '-4 route replace 0.0.0.0/0 via 10.0.2.9 dev eth0 metric 103 onlink'
called '-4 route replace 192.168.0.0/16 dev eth0 metric 103'
called 'link set eth0 mtu 1400'
if grep -q 'via 10.0.2.2 ' "$TMP/calls"; then fail "the router option was used beside option 121"; fi
has "$TMP/etc/resolv.conf" 'nameserver 10.0.2.3'
has "$TMP/run/dhcp-ntp" ''

lease deconfig
called '-4 addr flush dev eth0'
has "$TMP/etc/resolv.conf" ''

lease leasefail
has "$TMP/calls" ''
