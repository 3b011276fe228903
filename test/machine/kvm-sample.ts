/** A domain of QEMU's, with something of everything that a domain may have. */
export const richKvm = `<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web "one" é😀</name>
  <uuid>00112233-4455-6677-8899-aabbccddeeff</uuid>
  <genid>8312995e-57b8-f814-4013-c1ba795f05ba</genid>
  <title>a title</title>
  <description>two
lines</description>
  <metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0"><libosinfo:os id="http://debian.org/debian/11"/></libosinfo:libosinfo></metadata>
  <maxMemory slots='16' unit='GiB'>16</maxMemory>
  <memory unit='MiB'>2049</memory>
  <currentMemory unit='MiB'>1024</currentMemory>
  <memoryBacking><locked/><hugepages/></memoryBacking>
  <memtune><hard_limit unit='KiB'>9000000</hard_limit></memtune>
  <vcpu placement='static' cpuset='0-3' current='4'>8</vcpu>
  <iothreads>2</iothreads>
  <cputune><shares>4096</shares><quota>50000</quota></cputune>
  <numatune><memory mode='strict' nodeset='0'/></numatune>
  <sysinfo type='smbios'><system><entry name='serial'>xyz</entry></system></sysinfo>
  <os>
    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>
    <bootmenu enable='yes' timeout='3000'/>
    <bios rebootTimeout='10000' useserial='yes'/>
    <smbios mode='sysinfo'/>
  </os>
  <features><acpi/><hyperv><relaxed state='on'/></hyperv><kvm><hidden state='on'/></kvm><vmport state='off'/></features>
  <cpu mode='host-passthrough' check='none'>
    <topology sockets='2' dies='1' cores='2' threads='2'/>
    <feature policy='require' name='vmx'/>
    <feature policy='disable' name='avx2'/>
    <numa><cell id='0' cpus='0-7' memory='2098176' unit='KiB'/></numa>
  </cpu>
  <clock offset='variable' adjustment='3600' basis='utc'><timer name='rtc' tickpolicy='catchup'/></clock>
  <on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>
  <pm><suspend-to-mem enabled='no'/></pm>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk' snapshot='no'>
      <driver name='qemu' type='qcow2' cache='none' io='native' iothread='1'/>
      <source file='/images/data.qcow2'/><target dev='vda' bus='virtio'/><boot order='3'/><serial>DATA1</serial>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x05' function='0x0'/>
    </disk>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw' cache='directsync'/>
      <source dev='/dev/vg/root'/><target dev='vdb' bus='virtio'/><boot order='2'/><shareable/>
    </disk>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='rbd' name='pool/image'><host name='mon' port='6789'/></source>
      <target dev='sda' bus='scsi'/><transient/><wwn>5000c50015ea71aa</wwn>
      <iotune><total_iops_sec>100</total_iops_sec></iotune>
      <address type='drive' controller='0' bus='0' target='0' unit='3'/>
    </disk>
    <disk type='volume' device='disk'><source pool='p' volume='v.img'/><target dev='sdb' bus='usb'/></disk>
    <disk type='file' device='disk'><source file='/other/data.qcow2'/><target dev='sdc' bus='sata'/></disk>
    <disk type='file' device='cdrom'><source file='/isos/a.iso'/><target dev='sdd' bus='sata'/><readonly/><boot order='1'/></disk>
    <disk type='file' device='floppy'><source file='/a.flp'/><target dev='fda' bus='fdc'/></disk>
    <controller type='scsi' index='0' model='virtio-scsi'><driver queues='4'/></controller>
    <controller type='usb' index='0' model='qemu-xhci' ports='15'/>
    <controller type='virtio-serial' index='0'/>
    <filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='/srv'/><target dir='share'/></filesystem>
    <interface type='network'>
      <mac address='52:54:00:01:02:03'/><source network='default'/><model type='virtio'/><driver queues='2'/><mtu size='9000'/><boot order='4'/>
    </interface>
    <interface type='bridge'>
      <mac address='00:50:56:01:02:03'/><source bridge='br0'/><virtualport type='openvswitch'/><vlan><tag id='42'/></vlan>
      <model type='rtl8139'/><link state='down'/>
    </interface>
    <interface type='direct'><mac address='52:54:00:01:02:05'/><source dev='eth0' mode='bridge'/><model type='e1000e'/></interface>
    <serial type='unix'><source mode='bind' path='/run/s.sock'/><target port='0'/></serial>
    <serial type='pty'><target port='1'/></serial>
    <serial type='tcp'><source mode='connect' host='h' service='4000'/><protocol type='telnet'/><target port='2'/></serial>
    <parallel type='file'><source path='/tmp/printed'/><target port='0'/></parallel>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <input type='tablet' bus='usb'/>
    <tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>
    <graphics type='vnc' port='5901' autoport='no' passwd='opensesame'><listen type='address' address='127.0.0.1'/></graphics>
    <sound model='ich9'><codec type='micro'/></sound>
    <audio id='1' type='spice'/>
    <video><model type='qxl' ram='65536' vram='65536' heads='2'/></video>
    <hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source></hostdev>
    <redirdev bus='usb' type='spicevmc'/>
    <redirdev bus='usb' type='tcp'><source mode='connect' host='localhost' service='4000'/></redirdev>
    <watchdog model='i6300esb' action='reset'/>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <vsock model='virtio'><cid auto='yes'/></vsock>
  </devices>
  <qemu:commandline><qemu:arg value='-s'/></qemu:commandline>
</domain>
`;

/** A small domain of QEMU's. */
export const kvmWith = (devices = '', more = '', os = "<os><type arch='x86_64'>hvm</type></os>"): string =>
	`<domain type='kvm'><name>x</name><uuid>00112233-4455-6677-8899-aabbccddeeff</uuid><memory>4096</memory>${os}${more}<devices>${devices}</devices></domain>`;
