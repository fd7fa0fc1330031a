# shellcheck shell=dash disable=SC2154 # sourced by the guest's init, which has the functions used here
# What the kernel can stack on disks and on network interfaces: inventory beside its peers, a suspended device, and the agent's tear-down.
by_serial() { # the node of the disk with this serial number (of several paths, the first)
	local page
	page=$(grep -l "$1Q7731X" /sys/block/sd*/device/vpd_pg80 | head -n 1)
	page=${page#/sys/block/}
	echo "/dev/${page%%/*}"
}
modprobe bonding max_bonds=0
modprobe dummy numdummies=0
modprobe -a dm_mod dm_multipath dm_round_robin dm_service_time dm_crypt raid1 8021q bridge vxlan macvlan veth
udevadm settle

# --- disks ---
must mdadm mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean "$(by_serial MD0)" "$(by_serial MD1)"
must "mdadm alone" mdadm --create /dev/md1 --run --force --level=1 --raid-devices=2 --metadata=1.0 "$(by_serial MDALONE)" missing
lv=$(by_serial LVM0)
printf 'label: gpt\nsize=40MiB, name="boot"\nname="pv"\n' | must sfdisk sfdisk -q "$lv"
udevadm settle
must vgcreate lvm vgcreate -q vg0 "${lv}2"
must lvcreate lvm lvcreate -q -y -Wn -n data -L 32M vg0
must lvcreate lvm lvcreate -q -y -Wn -n more -L 16M vg0
must vgcreate lvm vgcreate -q vgspan "$(by_serial SPAN0)" "$(by_serial SPAN1)"
must lvcreate lvm lvcreate -q -y -Wn -n wide -l 100%FREE vgspan
head -c 64 /proc/kallsyms >/tmp/key
must cryptsetup cryptsetup open -q --type plain --cipher aes-xts-plain64 --key-size 256 --key-file /tmp/key "$(by_serial CRYPT)" secret
must multipath multipath
udevadm settle
lsblk -o NAME,KNAME,TYPE,SIZE,MOUNTPOINTS >/out/tree.txt

# --- interfaces ---
n() { # the interface with this last byte of its address
	local i
	for i in /sys/class/net/*; do
		case $(cat "$i/address") in *:"$1") echo "${i##*/}" ;; esac
	done
}
a=$(n 01) b=$(n 02) c=$(n 03) d=$(n 04) e=$(n 05)
must bond0 ip link add bond0 type bond mode active-backup miimon 100
must bond1 ip link add bond1 type bond mode 802.3ad miimon 100 lacp_rate fast
for i in "$a" "$b"; do must "$i" ip link set "$i" master bond0; done
for i in "$c" "$d"; do must "$i" ip link set "$i" master bond1; done
must vlan ip link add link bond0 name bond0.100 type vlan id 100
must qinq ip link add link "$e" name outer type vlan id 200 protocol 802.1ad
must bridge ip link add br0 type bridge vlan_filtering 1
must dummy ip link add dummy0 type dummy
must "bridge port" ip link set bond1 master br0
must vxlan ip link add vx0 type vxlan id 42 dstport 4789 local 192.0.2.10
must macvlan ip link add link "$e" name mac0 type macvlan mode bridge
must veth ip link add ve0 type veth peer name ve1
for i in "$a" "$b" "$c" "$d" "$e" bond0 bond1 bond0.100 outer br0 dummy0 mac0 ve0; do must "up $i" ip link set "$i" up; done
must mtu ip link set dummy0 mtu 9000
must address ip addr add 192.0.2.10/24 dev bond0
must address ip addr add 198.51.100.7/25 dev bond0.100
must address ip addr add 203.0.113.5/24 dev br0
must address ip -6 addr add 2001:db8::5/64 dev bond0 nodad
must route ip route add default via 192.0.2.1 metric 100
must route ip route add default via 203.0.113.1 metric 200
must route ip route add 10.9.0.0/16 via 198.51.100.1
must route ip route add 10.10.0.0/16 nexthop via 192.0.2.2 weight 3 nexthop via 203.0.113.2
must route ip -6 route add default via 2001:db8::1 metric 50
must route ip route add blackhole 10.66.0.0/16
# A router's advertisement, duplicate address detection, link monitoring, LACP without a partner.
advertised() { [ "$(ip -6 addr show dev "$1" -tentative | grep -c 2001:)" = 1 ]; }
for i in "$e" mac0; do
	k=0
	until advertised "$i" || [ $((k += 1)) -gt 50 ]; do sleep 0.2; done
done
sleep 1
keep_peers
keep_inventory
ls /dev/ipmi0 >/out/ipmi-node 2>&1

# --- a suspended device: whoever reads it sleeps until it is resumed ---
must suspend dmsetup suspend vg0-data
cut -d' ' -f1 /proc/uptime >/out/suspended.from
keep suspended-full.json slipway-hwprobe --format=full --timeout=4000
cut -d' ' -f1 /proc/uptime >/out/suspended.to
must resume dmsetup resume vg0-data
udevadm settle

# --- the agent: what it plans for each disk, then what it does ---
keep agent-list.json slipway-agent disk list --json
keep agent-list.txt slipway-agent disk list
# take NAME SERIAL [SERIAL OF A DISK GIVEN UP]: plan, then tear-down, then what is left
take() {
	local dev too=''
	dev=$(by_serial "$2")
	[ $# = 2 ] || too=$(by_serial "$3")
	echo "$dev" >"/out/take-$1.dev"
	keep "plan-$1.json" slipway-agent disk plan "$dev" --disks-to-format="$too" --json
	keep "take-$1.txt" guest-teardown "$dev" ${too:+"$too"}
	udevadm settle
	lsblk -J -b -O "$dev" >"/out/left-$1.json"
	keep "left-$1.blkid" blkid -p -o export "$dev"
	head -c 1048576 "$dev" | tr -d '\000' | wc -c >"/out/left-$1.head"
}
take span SPAN0
take raid MD0
# The same not put together, as a discovery system finds it.
must "md stop" mdadm --stop /dev/md0
must "vg off" lvm vgchange -q -an vgspan
take parts-raid MD0
take parts-span SPAN0
must "md again" mdadm --assemble --run /dev/md0 "$(by_serial MD0)" "$(by_serial MD1)"
must "vg on" lvm vgchange -q -ay vgspan
udevadm settle
take lvm LVM0
take crypt CRYPT
take alone MDALONE
take plain PLAIN
take leg PATH0
for m in /dev/mapper/*; do
	case $(dmsetup info -c --noheadings -o uuid "$m" 2>/dev/null) in mpath-*) echo "$m" ;; esac
done >/out/multipath-maps
keep multipath.txt multipath -ll
lsblk -o NAME,KNAME,TYPE,SIZE,MOUNTPOINTS >/out/tree-after.txt
cat /proc/mdstat >/out/mdstat
keep lvs.txt lvm lvs --noheadings -o lv_name,vg_name,lv_active
# With the other disk given up, too.
take both-raid MD0 MD1
take both-span SPAN0 SPAN1
cat /proc/mdstat >/out/mdstat-both
