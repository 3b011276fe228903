/** A VMX with something of everything that libvirt translates, and some of what it does not. */
export const richVmx = `#!/usr/bin/vmware
.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "13"
displayName = "web |22one|22 100%25"
annotation = "two|0Alines of |7Ctext|7C"
guestOS = "ubuntu-64"
uuid.bios = "56 4d 00 11 22 33 44 55-66 77 88 99 aa bb cc dd"
vc.uuid = "50 01 02 03 04 05 06 07-08 09 0a 0b 0c 0d 0e 0f"
memSize = "2048"
sched.mem.max = "1024"
sched.mem.minsize = "512"
numvcpus = "4"
cpuid.coresPerSocket = "2"
sched.cpu.affinity = "3,1,0,2"
sched.cpu.shares = "high"
firmware = "efi"
uefi.secureBoot.enabled = "TRUE"
nvram = "web.nvram"
smbios.reflectHost = "TRUE"
RemoteDisplay.vnc.enabled = "TRUE"
RemoteDisplay.vnc.port = "5901"
RemoteDisplay.vnc.ip = "127.0.0.1"
RemoteDisplay.vnc.password = "opensesame"
svga.vramSize = "8388608"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0.pciSlotNumber = "160"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "web.vmdk"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:1.present = "TRUE"
scsi0:1.fileName = "/vmfs/volumes/store2/web/data.vmdk"
scsi0:1.mode = "independent-nonpersistent"
scsi0:1.writeThrough = "TRUE"
scsi0:2.present = "FALSE"
scsi0:2.fileName = "gone.vmdk"
sata0.present = "TRUE"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "/isos/debian.iso"
ide1:0.present = "TRUE"
ide1:0.deviceType = "atapi-cdrom"
ide1:0.fileName = "auto detect"
floppy0.present = "TRUE"
floppy0.fileType = "file"
floppy0.fileName = "boot.flp"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:01:02:03"
ethernet0.checkMACAddress = "false"
ethernet0.pciSlotNumber = "192"
ethernet1.present = "TRUE"
ethernet1.dvs.switchId = "50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40"
ethernet1.dvs.portId = "5"
ethernet1.dvs.portgroupId = "dvportgroup-1285"
ethernet1.dvs.connectionId = "408217997"
ethernet1.addressType = "vpx"
ethernet1.generatedAddress = "00:50:56:80:00:01"
ethernet1.wakeOnPcktRcv = "TRUE"
serial0.present = "TRUE"
serial0.fileType = "network"
serial0.fileName = "telnet://192.168.0.1:4000"
serial0.network.endPoint = "client"
serial1.present = "TRUE"
serial1.fileType = "pipe"
serial1.fileName = "/tmp/pipe"
serial1.pipe.endPoint = "server"
parallel0.present = "TRUE"
parallel0.fileType = "file"
parallel0.fileName = "printed"
isolation.tools.hgfs.disable = "FALSE"
sharedFolder.maxNum = "1"
sharedFolder0.present = "TRUE"
sharedFolder0.enabled = "TRUE"
sharedFolder0.hostPath = "/srv/share"
sharedFolder0.guestName = "share"
sharedFolder0.writeAccess = "TRUE"
sharedFolder0.readAccess = "TRUE"
usb.present = "TRUE"
pciPassthru0.present = "TRUE"
guestinfo.userdata = "c2VjcmV0"
some.new.key = "1"
tools.syncTime = "FALSE"
cleanShutdown = "TRUE"
`;

/** The least that is a VMX. */
export const vmxWith = (...lines: string[]): string =>
	`${['config.version = "8"', 'virtualHW.version = "8"', 'displayName = "x"', ...lines].join('\n')}\n`;

/** A domain of libvirt's VMware driver, with something of everything. */
export const richDomain = `<!-- kept by hand -->
<domain type='vmware' id='7' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>
  <name>web/one</name>
  <uuid>564d0011-2233-4455-6677-8899aabbccdd</uuid>
  <title>a title</title>
  <description>a &lt;description&gt;
of two lines</description>
  <memory unit='MiB'>1022</memory>
  <currentMemory unit='MiB'>512</currentMemory>
  <memtune><min_guarantee unit='KiB'>262144</min_guarantee></memtune>
  <vcpu placement='static' cpuset='0-2,5'>4</vcpu>
  <cputune><shares>4000</shares></cputune>
  <os firmware='efi'><type arch='x86_64'>hvm</type><smbios mode='host'/><boot dev='hd'/></os>
  <features><acpi/></features>
  <cpu mode='custom'><topology sockets='2' dies='1' cores='2' threads='1'/></cpu>
  <clock offset='localtime'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>preserve</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver cache='writethrough'/>
      <source file='[store] web/web.vmdk'/>
      <target dev='sda' bus='scsi'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='[store] web/data.vmdk'/>
      <target dev='sdp' bus='scsi'/>
      <transient/>
      <serial>abc</serial>
    </disk>
    <disk type='block' device='lun'><source startupPolicy='optional'/><target dev='hdc' bus='ide'/></disk>
    <disk type='file' device='floppy'><source file='[store] web/boot.flp'/><target dev='fda' bus='fdc'/></disk>
    <controller type='scsi' index='0' model='vmpvscsi'/>
    <controller type='scsi' index='1' model='lsisas1068'/>
    <controller type='scsi' index='2' model='lsilogic'/>
    <filesystem type='mount' accessmode='passthrough'><source dir='/srv'/><target dir='share'/><readonly/></filesystem>
    <interface type='bridge'>
      <mac address='00:50:56:01:02:03'/><source bridge='VM Network'/><model type='vmxnet3'/><link state='down'/>
    </interface>
    <interface type='bridge'><mac address='00:0c:29:01:02:03'/><source bridge='n'/><target dev='/dev/vmnet2'/></interface>
    <interface type='user'><mac address='52:54:00:01:02:03'/></interface>
    <interface type='null'><mac address='00:50:56:80:00:01'/></interface>
    <serial type='tcp'><source mode='bind' host='0.0.0.0' service='4000'/><protocol type='telnets'/><target port='0'/></serial>
    <parallel type='dev'><source path='/dev/parport0'/><target port='0'/></parallel>
    <console type='tcp'><source mode='bind' host='0.0.0.0' service='4000'/><protocol type='telnets'/><target type='serial' port='0'/></console>
    <graphics type='vnc' port='5901' autoport='no' listen='127.0.0.1' keymap='de' passwd='opensesame'>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <video><model type='vmvga' vram='4100' primary='yes'/></video>
    <sound model='ac97'/>
    <novelty kind='new'><part>of it</part></novelty>
  </devices>
  <vmware:datacenterpath>folder/dc</vmware:datacenterpath>
</domain>
`;

/** The least that is a domain for VMware. */
export const domainWith = (devices = '', more = ''): string =>
	`<domain type='vmware'><name>x</name><uuid>564d0011-2233-4455-6677-8899aabbccdd</uuid><memory>4096</memory><os><type>hvm</type></os>${more}<devices>${devices}</devices></domain>`;

/** The bridges that VMware gives every newer machine. */
export const pciBridges: readonly string[] = [
	'pciBridge0.present = "TRUE"',
	...[4, 5, 6, 7].flatMap((index) => [
		`pciBridge${index}.present = "TRUE"`,
		`pciBridge${index}.virtualDev = "pcieRootPort"`,
		`pciBridge${index}.functions = "8"`,
	]),
];
