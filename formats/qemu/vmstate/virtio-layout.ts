// What QEMU writes of a virtio device, in one field of type `virtio` of which its description says nothing: what
// the transport has to say, the device's registers, its queues, what the kind of device adds, and subsections.
// Here it is as descriptions, with the names of QEMU's own members, so that the one walk reads it. The transport
// is told by the bytes, and the kind's own part ends where the subsections begin that lead to the end exactly.
// Whatever else is met is no layout: then the field stays bytes.

import { BinaryInputVisitor } from './binary-visitor.ts'
import { fit, nameAt, QUEUES_MAX, SUBSECTION } from './fitted-description.ts'
import { ObjectOutputVisitor } from './object-visitor.ts'
import { CAPABILITY_PCI_EXPRESS, capabilityAt, msixBytes, msixEntries } from './pci-fields.ts'
import { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { transfer } from './transfer.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

const RING_ENTRIES_MAX = 32_768
/** Real ones have some 50 KB. */
const BYTES_MAX = 1024 * 1024

const words = (name: string): VMStateField => ({ name, type: 'uint32', count: 2 })

const ofEachQueue = (name: string, vmsd: VMStateDescription): VMStateField => {
  return { name, type: 'struct', count: QUEUES_MAX, vmsd }
}

const described = (
  name: string,
  fields: readonly VMStateField[],
  subsections: readonly VMStateDescription[] = [],
): VMStateDescription => ({ name, version_id: 1, fields, subsections })

const RING_ADDRESSES = [words('desc'), words('avail'), words('used')]

/** What a transport that is not the legacy one has of each queue, as the guest wrote it. */
const PCI_STATE = described(
  'virtio_pci',
  [],
  [
    described('virtio_pci/modern_state', [
      { name: 'dfselect', type: 'uint32' },
      { name: 'gfselect', type: 'uint32' },
      words('guest_features'),
      ofEachQueue(
        'vqs',
        described('virtio_pci/modern_queue_state', [
          { name: 'num', type: 'uint16' },
          { name: 'unused', type: 'unused_buffer', size: 1 },
          { name: 'enabled', type: 'bool' },
          ...RING_ADDRESSES,
        ]),
      ),
    ]),
  ],
)

const MMIO_STATE = described(
  'virtio_mmio',
  [],
  [
    described('virtio_mmio/state', [
      words('guest_features'),
      ofEachQueue(
        'vqs',
        described('virtio_mmio/queue_state', [
          { name: 'num', type: 'uint16' },
          { name: 'enabled', type: 'bool' },
          ...RING_ADDRESSES,
        ]),
      ),
    ]),
  ],
)

const subsectionsWith = (extra: VMStateDescription): readonly VMStateDescription[] => [
  described('virtio/device_endian', [{ name: 'device_endian', type: 'uint8' }]),
  described('virtio/64bit_features', [{ name: 'guest_features', type: 'uint64' }]),
  described('virtio/virtqueues', [
    ofEachQueue(
      'vq',
      described('virtqueue_state', [
        { name: 'vring.avail', type: 'uint64' },
        { name: 'vring.used', type: 'uint64' },
      ]),
    ),
  ]),
  described('virtio/ringsize', [
    ofEachQueue('vq', described('ringsize_state', [{ name: 'vring.num_default', type: 'uint32' }])),
  ]),
  described('virtio/broken', [{ name: 'broken', type: 'bool' }]),
  described('virtio/extra_state', [{ name: 'extra_state', type: 'struct', vmsd: extra }]),
  described('virtio/started', [{ name: 'started', type: 'bool' }]),
  described('virtio/packed_virtqueues', [
    ofEachQueue(
      'vq',
      described('packed_virtqueue_state', [
        { name: 'last_avail_idx', type: 'uint16' },
        { name: 'last_avail_wrap_counter', type: 'bool' },
        { name: 'used_idx', type: 'uint16' },
        { name: 'used_wrap_counter', type: 'bool' },
        { name: 'inuse', type: 'uint32' },
      ]),
    ),
  ]),
  described('virtio/disabled', [{ name: 'disabled', type: 'bool' }]),
]

interface Transport {
  readonly fields: readonly VMStateField[]
  /** Of each queue, besides what every transport has. */
  readonly align: readonly VMStateField[]
  readonly vector: readonly VMStateField[]
  readonly subsections: readonly VMStateDescription[]
}

const PCI_SUBSECTIONS = subsectionsWith(PCI_STATE)
const MMIO_SUBSECTIONS = subsectionsWith(MMIO_STATE)

const PCI_VERSION_BYTES = 4
const PCI_VERSION = 2
const CONFIG_BYTES = 256
const CONFIG_BYTES_EXPRESS = 4096
const INTERRUPTS_BYTES = 16
/** The vendor of all virtio devices, as it begins a configuration space. */
const VENDOR = [0xf4, 0x1a]

function pciTransport(bytes: Uint8Array): Transport | undefined {
  const config = bytes.subarray(PCI_VERSION_BYTES, PCI_VERSION_BYTES + CONFIG_BYTES)
  if (config.length < CONFIG_BYTES || wordAt(bytes, 0) !== PCI_VERSION) return undefined
  if (config[0] !== VENDOR[0] || config[1] !== VENDOR[1]) return undefined
  const isExpress = capabilityAt(config, CAPABILITY_PCI_EXPRESS) !== undefined
  const size = isExpress ? CONFIG_BYTES_EXPRESS : CONFIG_BYTES
  const entries = msixEntries(config)
  const msix: readonly VMStateField[] = [
    { name: 'msix', type: 'msix state', size: msixBytes(entries) },
    { name: 'config_vector', type: 'uint16' },
  ]
  return {
    fields: [
      { name: 'version_id', type: 'int32' },
      { name: 'config', type: 'pci config', size },
      { name: 'irq_state', type: 'pci irq state', size: INTERRUPTS_BYTES },
      ...(entries > 0 ? msix : []),
    ].map((field) => ({ ...field, name: `pci.${field.name}` })),
    align: [],
    vector: entries > 0 ? [{ name: 'vector', type: 'uint16' }] : [],
    subsections: PCI_SUBSECTIONS,
  }
}

const PAGE_SHIFT_MAX = 31

function mmioTransport(bytes: Uint8Array): Transport | undefined {
  const isSelection = [0, 4].every((at) => wordAt(bytes, at) <= 1)
  if (!isSelection || wordAt(bytes, 8) > PAGE_SHIFT_MAX) return undefined
  return {
    fields: [
      { name: 'mmio.host_features_sel', type: 'uint32' },
      { name: 'mmio.guest_features_sel', type: 'uint32' },
      { name: 'mmio.guest_page_shift', type: 'uint32' },
    ],
    align: [{ name: 'vring.align', type: 'uint32' }],
    vector: [],
    subsections: MMIO_SUBSECTIONS,
  }
}

/** NaN behind the end, which no comparison takes. */
function wordAt(bytes: Uint8Array, at: number): number {
  const [a = NaN, b = NaN, c = NaN, d = NaN] = bytes.subarray(at, at + 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
}

function registers({ fields, align, vector }: Transport): readonly VMStateField[] {
  const queue = described('virtqueue', [
    { name: 'vring.num', type: 'uint32' },
    ...align,
    { name: 'vring.desc', type: 'uint64' },
    { name: 'last_avail_idx', type: 'uint16' },
    ...vector,
  ])
  return [
    ...fields,
    { name: 'status', type: 'uint8' },
    { name: 'isr', type: 'uint8' },
    { name: 'queue_sel', type: 'uint16' },
    { name: 'guest_features_low', type: 'uint32' },
    { name: 'config_len', type: 'uint32' },
    { name: 'config', type: 'buffer', size: 'config_len' },
    { name: 'queues', type: 'uint32' },
    { name: 'vq', type: 'struct', count: 'queues', vmsd: queue },
  ]
}

interface Registers {
  readonly queue_sel: number
  readonly queues: number
  readonly vq: readonly Readonly<Record<string, number | bigint>>[]
}

/** What QEMU itself would refuse to load, or never write. */
function isPossible({ queue_sel, queues, vq }: Registers): boolean {
  if (queue_sel >= QUEUES_MAX || queues > QUEUES_MAX) return false
  return vq.every((queue) => {
    const entries = Number(queue['vring.num'])
    if (entries < 1 || entries > RING_ENTRIES_MAX) return false
    return queue['vring.desc'] !== 0n || queue['last_avail_idx'] === 0
  })
}

/** Where the registers end, which are read into `found`; nothing if they are none. */
function registersEnd(fields: readonly VMStateField[], bytes: Uint8Array, found: object) {
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes))
  try {
    transfer(described('virtio registers', fields), from, new ObjectOutputVisitor(found))
    return from.offset
  } catch (error) {
    if (error instanceof QemuStreamError) return undefined
    throw error
  }
}

/** Where the subsections begin; the end if there are none; nothing if they do not lead to the end. */
function findSubsections(bytes: Uint8Array, from: number, transport: Transport, queues: number) {
  let at = bytes.indexOf(SUBSECTION, from)
  while (at >= 0 && !nameAt(bytes, at).startsWith('virtio/')) at = bytes.indexOf(SUBSECTION, at + 1)
  if (at < 0) return { at: bytes.length, subsections: [] }
  const fitted = fit(described('virtio', [], transport.subsections), bytes, at, queues)
  if (fitted?.end !== bytes.length) return undefined
  return { at, subsections: fitted.vmsd.subsections ?? [] }
}

export interface VirtioLayout {
  /** Of the whole field. */
  readonly vmsd: VMStateDescription
  /** That the device uses. */
  readonly queues: number
}

/** How a field of type `virtio` is laid out; nothing unless that leads to its end exactly. */
export function virtioLayout(bytes: Uint8Array): VirtioLayout | undefined {
  const transport = pciTransport(bytes) ?? mmioTransport(bytes)
  if (transport === undefined || bytes.length > BYTES_MAX) return undefined
  const fields = registers(transport)
  const found: Partial<Registers> = {}
  const end = registersEnd(fields, bytes, found)
  if (end === undefined || !isPossible(found as Registers)) return undefined
  const { queues } = found as Registers
  const behind = findSubsections(bytes, end, transport, queues)
  if (behind === undefined) return undefined
  const own: VMStateField = { name: 'device', type: 'buffer', size: behind.at - end }
  const all = own.size === 0 ? fields : [...fields, own]
  return { vmsd: described('virtio', all, behind.subsections), queues }
}
