#!/bin/sh
# Makes disks of 3 GiB with Debian 12 as debootstrap and initramfs-tools leave it, and prints the name of one; those that are there already
# are only named. Beside each, as NAME.initrd, lies its initramfs.
#   debian.sh [most|list]     what its initramfs has: every driver, or those of VMware's controllers and of SATA alone
# It needs root, debootstrap and a mirror. The disks have no boot loader: they are to be looked at.
set -eu
PATH=$PATH:/sbin:/usr/sbin

cache=${VCONV_GUEST_CACHE:-${TMPDIR:-/tmp}/vconv-guest-$(id -u)}
made=$(cksum < "$0" | cut -d ' ' -f 1)
wanted=$cache/debian-${1:-most}-$made.raw
if [ -e "$wanted" ]; then
	echo "$wanted"
	exit 0
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work"' EXIT

root=$work/root
logged() { "$@" > "$work/log" 2>&1 || { tail "$work/log" >&2; exit 1; }; }
logged debootstrap --variant=minbase --include=linux-image-amd64,initramfs-tools,zstd bookworm "$root"
uuid=6f0a3c5e-0000-4000-8000-3b1dbb5a7e11
echo "UUID=$uuid / ext4 errors=remount-ro 0 1" > "$root/etc/fstab"
echo debian-of-vconv > "$root/etc/hostname"

for modules in most list; do
	if [ "$modules" = list ]; then
		sed -i 's/^MODULES=.*/MODULES=list/' "$root/etc/initramfs-tools/initramfs.conf"
		printf '%s\n' vmw_pvscsi mptspi ahci sd_mod ext4 >> "$root/etc/initramfs-tools/modules"
		logged chroot "$root" update-initramfs -u
	fi
	truncate -s 3G "$work/disk"
	echo 'start=2048, type=83, bootable' | sfdisk -q --label dos "$work/disk"
	mke2fs -q -F -t ext4 -U "$uuid" -d "$root" -E offset=1048576 "$work/disk" 3071M
	disk=$cache/debian-$modules-$made.raw
	cp "$root"/boot/initrd.img-* "$disk.initrd"
	mv "$work/disk" "$disk"
done
echo "$wanted"
