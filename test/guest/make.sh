#!/bin/sh
# Makes a small guest that really boots, as a raw disk, and prints its name; one that is there already is only named.
#   make.sh [bios|efi] [virtio|sata]     what starts it, and the driver of its disk: with virtio it has those of SATA and IDE too, and with both that of pvscsi
# Debian's kernel, busybox in an initramfs, an ext4 root found by its label, GRUB. No root rights, no loop devices.
# Booted, it says what disks and cards it sees, checks what it is made of, prints VCONV-GUEST-UP (or what is wrong) on the first serial
# line and powers off.
set -eu
PATH=$PATH:/sbin:/usr/sbin
firmware=${1:-bios}
bus=${2:-virtio}

kernel=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
if [ -z "$kernel" ]; then
	echo 'apt-get knows no linux-image-amd64: apt-get update first' >&2
	exit 1
fi
cache=${VCONV_GUEST_CACHE:-${TMPDIR:-/tmp}/vconv-guest-$(id -u)}
guest=$cache/$kernel-$firmware-$bus-$(cksum < "$0" | cut -d ' ' -f 1).raw
if [ -e "$guest" ]; then
	echo "$guest"
	exit 0
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The package is unpacked, not installed: installing it would want an initramfs of this machine.
(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq "$kernel" && dpkg-deb -x "$kernel"_*.deb system)
version=${kernel#linux-image-}
depmod -b "$work/system" "$version"

# Drivers of the controllers that tests boot from, in the order in which they must be loaded.
drivers='virtio_pci virtio_net e1000e ahci vmw_pvscsi sd_mod crc32c_generic ext4'
[ "$bus" = sata ] || drivers="virtio_blk ata_piix $drivers"
early=$work/early
mkdir -p "$early/bin" "$early/dev" "$early/proc" "$early/sys" "$early/mnt"
cp "$(command -v busybox)" "$early/bin/busybox"
for driver in $drivers; do
	modprobe -d "$work/system" -S "$version" --show-depends "$driver"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$work/modules"
while read -r module; do
	file=${module#"$work/system/"}
	mkdir -p "$early/$(dirname "$file")"
	cp "$module" "$early/$file"
	echo "/$file" >> "$early/modules"
done < "$work/modules"
cat > "$early/init" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
while read -r module; do insmod "$module"; done < /modules
[ ! -d /sys/firmware/efi ] || echo VCONV-GUEST-EFI
for try in $(seq 100); do
	root=$(findfs LABEL=vconv-root) && break
	sleep 0.1
done
echo VCONV-GUEST-DISKS $(cd /sys/block && for disk in [svh]d*; do echo "$disk:$(cat "$disk/size")"; done)
echo VCONV-GUEST-CARDS $(cat /sys/class/net/[!l]*/address)
mount -t ext4 -o ro "$root" /mnt && mount --move /dev /mnt/dev && exec switch_root /mnt /init
echo "VCONV-GUEST-FAILED no root: $(cat /proc/partitions)"
poweroff -f
INIT
chmod +x "$early/init"
(cd "$early" && find . | cpio -o -H newc -R 0:0 --quiet | gzip -9) > "$work/initrd"

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/boot/grub" "$root/data" "$root/lib/modules/$version"
cp "$early/bin/busybox" "$root/bin"
cp "$work/system/boot/vmlinuz-$version" "$root/boot"
cp "$work/initrd" "$root/boot/initrd.img-$version"
# What an inspection goes by.
cp "$work/system/lib/modules/$version/modules.dep" "$work/system/lib/modules/$version/modules.builtin" "$root/lib/modules/$version"
printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="A guest of vconv"\n' > "$root/etc/os-release"
# Text that compresses, noise that does not, and a file that is mostly a hole.
for i in $(seq 24); do seq "${i}000" "$((i + 20))000" > "$root/data/text$i"; done
tail -c 4000000 "$root/boot/vmlinuz-$version" > "$root/data/noise"
truncate -s 8M "$root/data/hole"
echo end >> "$root/data/hole"
(cd "$root" && find data boot -type f -exec sha256sum {} +) > "$work/sums"
mv "$work/sums" "$root/sums"
cat > "$root/init" << 'INIT'
#!/bin/busybox sh
cd /
if wrong=$(/bin/busybox sha256sum -c sums 2>&1); then
	echo VCONV-GUEST-UP
else
	echo "VCONV-GUEST-FAILED $wrong"
fi
/bin/busybox poweroff -f
INIT
chmod +x "$root/init"
cat > "$root/boot/grub/grub.cfg" << CONFIG
serial --unit=0 --speed=115200
terminal_output serial
search --no-floppy --label vconv-root --set=root
linux /boot/vmlinuz-$version console=ttyS0,115200 quiet panic=1 nokaslr no_timer_check cryptomgr.notests
initrd /boot/initrd.img-$version
boot
CONFIG

disk=$work/disk
truncate -s 96M "$disk"
modules='ext2 normal linux serial terminal search search_label boot'
mkroot() { mkfs.ext4 -q -F -b 4096 -O ^has_journal -L vconv-root -E "offset=$1,root_owner=0:0" -d "$root" "$disk" "$2"; }
if [ "$firmware" = efi ]; then
	printf '%s\n' 'label: gpt' 'start=2048, size=8192, type=uefi' 'start=10240, type=linux' | sfdisk -q "$disk"
	mkroot 5242880 90M
	printf '%s\n' 'search.fs_label vconv-root root' 'set prefix=($root)/boot/grub' > "$work/first.cfg"
	# shellcheck disable=SC2086
	grub-mkimage -O x86_64-efi -o "$work/loader" -p /boot/grub -c "$work/first.cfg" part_gpt $modules
	truncate -s 4M "$work/esp"
	mkfs.vfat -n ESP "$work/esp" > "$work/said"
	mmd -i "$work/esp" ::EFI ::EFI/BOOT
	mcopy -i "$work/esp" "$work/loader" ::EFI/BOOT/BOOTX64.EFI
	dd if="$work/esp" of="$disk" bs=1M seek=1 conv=notrunc status=none
else
	echo 'start=2048, type=83, bootable' | sfdisk -q --label dos "$disk"
	mkroot 1048576 95M
	# shellcheck disable=SC2086
	grub-mkimage -O i386-pc -o "$work/core" -p '(hd0,msdos1)/boot/grub' biosdisk part_msdos $modules
	# The boot code in front of the partition table, GRUB's core in the gap behind it.
	dd if=/usr/lib/grub/i386-pc/boot.img of="$disk" bs=446 count=1 conv=notrunc status=none
	dd if="$work/core" of="$disk" bs=512 seek=1 conv=notrunc status=none
fi
cp --sparse=always "$disk" "$work/guest"
mv "$work/guest" "$guest"
echo "$guest"
