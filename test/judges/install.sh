#!/bin/sh
# Installs the Debian packages that the tests use as judges; elsewhere it says so, and those tests are skipped.
set -eu
packages='qemu-utils qemu-system-x86 seabios ovmf 7zip libvhdi-utils libvmdk-utils libqcow-utils strace time
	busybox-static cpio kmod e2fsprogs fdisk gdisk dosfstools mtools grub-pc-bin grub-common xz-utils chromium'
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
[ -n "$missing" ] || exit 0
$root apt-get update -qq
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
