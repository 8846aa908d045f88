// What is inside of values that QEMU's description calls by a name and shows no fields of, because a function of
// the PCI device writes them: its configuration space, its interrupt lines, its MSI-X table. They have the layouts
// of the PCI specification, which is little-endian, or of QEMU's own writers.

import type { InnerReader, InnerValue } from './inner-value.ts'

interface Place {
  readonly name: string
  readonly at: number
  readonly size: 1 | 2 | 4
}

const little = (bytes: Uint8Array, at: number, size: number): number => {
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

const big = (bytes: Uint8Array, at: number, size: number): number => {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

/** The header of every PCI device, and that of an ordinary one (type 0) behind it. */
const PCI_HEADER: readonly Place[] = [
  { name: 'vendor', at: 0x00, size: 2 },
  { name: 'device', at: 0x02, size: 2 },
  { name: 'command', at: 0x04, size: 2 },
  { name: 'status', at: 0x06, size: 2 },
  { name: 'revision', at: 0x08, size: 1 },
  { name: 'interface', at: 0x09, size: 1 },
  { name: 'class', at: 0x0a, size: 2 },
  { name: 'cache line', at: 0x0c, size: 1 },
  { name: 'latency', at: 0x0d, size: 1 },
  { name: 'header type', at: 0x0e, size: 1 },
  { name: 'bar 0', at: 0x10, size: 4 },
  { name: 'bar 1', at: 0x14, size: 4 },
]

const PCI_ORDINARY: readonly Place[] = [
  { name: 'bar 2', at: 0x18, size: 4 },
  { name: 'bar 3', at: 0x1c, size: 4 },
  { name: 'bar 4', at: 0x20, size: 4 },
  { name: 'bar 5', at: 0x24, size: 4 },
  { name: 'subsystem vendor', at: 0x2c, size: 2 },
  { name: 'subsystem', at: 0x2e, size: 2 },
  { name: 'rom', at: 0x30, size: 4 },
]

const PCI_BRIDGE: readonly Place[] = [
  { name: 'primary bus', at: 0x18, size: 1 },
  { name: 'secondary bus', at: 0x19, size: 1 },
  { name: 'last bus', at: 0x1a, size: 1 },
  { name: 'rom', at: 0x38, size: 4 },
  { name: 'bridge control', at: 0x3e, size: 2 },
]

const PCI_INTERRUPT: readonly Place[] = [
  { name: 'interrupt line', at: 0x3c, size: 1 },
  { name: 'interrupt pin', at: 0x3d, size: 1 },
]

/** Of the PCI specification's capabilities those that QEMU's devices have. */
const CAPABILITIES: Readonly<Record<number, string>> = {
  0x01: 'power management',
  0x05: 'MSI',
  0x08: 'hypertransport',
  0x09: 'vendor specific',
  0x0c: 'hot-plug',
  0x0d: 'bridge subsystem',
  0x10: 'PCI Express',
  0x11: 'MSI-X',
  0x12: 'SATA',
  0x13: 'advanced features',
}

const STATUS_CAPABILITIES = 0x10
const CAPABILITIES_AT = 0x34
const CAPABILITIES_MAX = 48
const CONFIG_BYTES_MIN = 64

export const CAPABILITY_PCI_EXPRESS = 0x10
export const CAPABILITY_MSIX = 0x11

function pciConfig(bytes: Uint8Array): InnerValue[] {
  if (bytes.length < CONFIG_BYTES_MIN) return []
  const isBridge = ((bytes[0x0e] ?? 0) & 0x7f) === 1
  const places = [...PCI_HEADER, ...(isBridge ? PCI_BRIDGE : PCI_ORDINARY), ...PCI_INTERRUPT]
  const found = places.map(({ name, at, size }): InnerValue => {
    return { name, at, size, value: little(bytes, at, size) }
  })
  for (const at of capabilitiesOf(bytes)) {
    const id = bytes[at] ?? 0
    const name = `capability ${CAPABILITIES[id] ?? `0x${id.toString(16)}`}`
    found.push({ name, at, size: 4, value: little(bytes, at, 4) })
  }
  return found
}

/** Where the capabilities lie in a configuration space, in the order of their list. */
function capabilitiesOf(bytes: Uint8Array): number[] {
  const found: number[] = []
  if ((little(bytes, 0x06, 2) & STATUS_CAPABILITIES) === 0) return found
  let at = (bytes[CAPABILITIES_AT] ?? 0) & 0xfc
  while (found.length < CAPABILITIES_MAX && at >= CONFIG_BYTES_MIN) {
    found.push(at)
    at = (bytes[at + 1] ?? 0) & 0xfc
  }
  return found
}

/** The place of a capability in the configuration space that begins these bytes. */
export function capabilityAt(bytes: Uint8Array, id: number): number | undefined {
  return capabilitiesOf(bytes).find((at) => bytes[at] === id)
}

const MSIX_ENTRIES_AT = 2
const MSIX_ENTRIES_MASK = 0x7ff

/** Entries of the MSI-X table that a configuration space announces: none without that capability. */
export function msixEntries(config: Uint8Array): number {
  const at = capabilityAt(config, CAPABILITY_MSIX)
  return at === undefined ? 0 : (little(config, at + MSIX_ENTRIES_AT, 2) & MSIX_ENTRIES_MASK) + 1
}

/** Bytes of the state of an MSI-X table. */
export const msixBytes = (entries: number) => entries * MSIX_ENTRY_BYTES + Math.ceil(entries / 8)

function pciInterrupts(bytes: Uint8Array): InnerValue[] {
  return ['INTA', 'INTB', 'INTC', 'INTD'].flatMap((name, i) => {
    const at = 4 * i
    return at + 4 > bytes.length ? [] : [{ name, at, size: 4, value: big(bytes, at, 4) }]
  })
}

const MSIX_ENTRY_BYTES = 16

/** A table of n entries of 16 bytes, then a pending bit for each. */
function msixState(bytes: Uint8Array): InnerValue[] {
  let entries = Math.floor(bytes.length / MSIX_ENTRY_BYTES)
  while (entries > 0 && entries * MSIX_ENTRY_BYTES + Math.ceil(entries / 8) > bytes.length)
    entries--
  const found: InnerValue[] = []
  for (let i = 0; i < entries; i++) {
    const at = i * MSIX_ENTRY_BYTES
    const part = (name: string, behind: number) => {
      const value = little(bytes, at + behind, 4)
      found.push({ name: `vector ${i} ${name}`, at: at + behind, size: 4, value })
    }
    part('address', 0)
    part('upper address', 4)
    part('data', 8)
    part('control', 12)
  }
  for (let at = entries * MSIX_ENTRY_BYTES; at < bytes.length; at++) {
    const first = 8 * (at - entries * MSIX_ENTRY_BYTES)
    found.push({ name: `pending from ${first}`, at, size: 1, value: bytes[at] ?? 0 })
  }
  return found
}

export const PCI_READERS: Readonly<Record<string, InnerReader>> = {
  'pci config': pciConfig,
  'pci irq state': pciInterrupts,
  'msix state': msixState,
}
