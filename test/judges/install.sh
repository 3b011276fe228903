#!/bin/sh
# Installs the Debian packages that the tests use as judges; elsewhere it says so, and those tests are skipped.
set -eu
packages='qemu-utils qemu-system-x86 seabios ovmf 7zip libvhdi-utils libvmdk-utils libqcow-utils strace time xfsprogs
	busybox-static cpio kmod e2fsprogs initramfs-tools-core lz4 zstd bzip2 lzop fdisk gdisk dosfstools mtools grub-pc-bin grub-efi-amd64-bin grub-common xz-utils util-linux-extra chromium libvirt-clients
	libvirt-daemon libvirt-daemon-driver-qemu swtpm swtpm-tools
	btrfs-progs ntfs-3g libhivex-bin libwin-hivex-perl cryptsetup-bin lvm2 exfatprogs genisoimage debootstrap'
# No judge, but what vconv unpacks with where it is there.
packages="$packages libdeflate0"
if ! command -v apt-get > /dev/null; then
	echo 'No apt-get here: tests whose judges are missing will be skipped.'
	exit 0
fi
root=''
[ "$(id -u)" = 0 ] || root=sudo
missing=''
for package in $packages; do
	dpkg -s "$package" > /dev/null 2>&1 || missing="$missing $package"
done
debian_kernel() { apt-cache show linux-image-amd64 > /dev/null 2>&1; }
if [ -n "$missing" ] || ! debian_kernel; then
	$root apt-get update -qq
fi
if [ -n "$missing" ]; then
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
fi
# The guests that boot tests take through formats and to other machines are made now, so that they need no network.
if debian_kernel; then
	for guest in 'bios virtio' 'efi virtio' 'bios sata'; do
		# shellcheck disable=SC2086
		echo "A guest of the boot tests: $(sh "$(dirname "$0")/../guest/make.sh" $guest)"
	done
fi
