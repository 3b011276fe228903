#!/bin/sh
# Makes every sample anew from one small disk, with qemu-img: the commands are in manifest.json too. Needs qemu-utils, python3, gzip.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The disk: 1 MiB and one sector. Text at the start, numbers from 256 KiB on, written zeros at 512 KiB, a hole, and a mark in the last sector.
python3 - "$work/disk.raw" <<'PY'
import sys
with open(sys.argv[1], 'wb') as f:
    f.write(b'vconv sample disk\n')
    f.seek(256 << 10)
    f.write(''.join(f'{i}\n' for i in range(12000)).encode())
    f.seek(512 << 10)
    f.write(bytes(64 << 10))
    f.seek(1 << 20)
    f.write(b'the last sector'.ljust(512, b'.'))
PY

rows=
sample() { # FILE FORMAT EXTENSION OPTIONS...
	file=$1 format=$2
	shift 2
	command="qemu-img convert -f raw $* disk.raw $file"
	(cd "$work" && qemu-img convert -f raw "$@" disk.raw "$file")
	case $file in hello.vmdk) cp "$work/$file" . ;; *) gzip -9nc "$work/$file" > "$file.gz"; file=$file.gz ;; esac
	rows="$rows${rows:+,}
	{ \"file\": \"$file\", \"format\": \"$format\", \"command\": \"$command\" }"
}

sample hello.vmdk vmdk -O vmdk -o subformat=streamOptimized
sample sparse.vmdk vmdk -O vmdk
sample copy.raw raw -O raw
sample v3.qcow2 qcow2 -O qcow2
sample v2.qcow2 qcow2 -O qcow2 -o compat=0.10
sample zlib.qcow2 qcow2 -O qcow2 -c
sample zstd.qcow2 qcow2 -O qcow2 -c -o compression_type=zstd
sample dynamic.vhd vhd -O vpc -o force_size=on
sample fixed.vhd vhd -O vpc -o subformat=fixed,force_size=on
sample dynamic.vhdx vhdx -O vhdx -o block_size=1M
sample dynamic.vdi vdi -O vdi
sample disk.qed qed -O qed
sample v1.qcow qcow -O qcow
sample disk.hdd parallels -O parallels

sum=$(sha256sum "$work/disk.raw" | cut -d' ' -f1)
size=$(stat -c %s "$work/disk.raw")
cat > manifest.json <<JSON
{
	"disk": { "virtualSize": $size, "sha256": "$sum", "madeBy": "make.sh" },
	"samples": [$rows
	]
}
JSON
