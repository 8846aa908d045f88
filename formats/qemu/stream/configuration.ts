// The configuration, the item behind a stream's header: the machine type, and what of the migration's own settings
// the reader must know before it meets memory. It has no footer and is in no description, so a subsection that
// is not known cannot be stepped over.

import type { Configuration, ConfigurationSubsection } from './migration-sink.ts'
import type { QemuFileReader } from '../file/qemu-file.ts'
import { QemuStreamError } from '../file/qemu-stream-error.ts'
import { ITEM_SUBSECTION } from '../file/stream-items.ts'

const MACHINE_BYTES_MAX = 1024
const CAPABILITIES_MAX = 256
const UUID_BYTES = 16
/** Of each of them. */
const SUBSECTION_VERSION = 1
const PAGE_BITS_MIN = 10
const PAGE_BITS_MAX = 16

interface Told {
  pageBytes?: number
  readonly capabilities: string[]
}

/** Reads from the item's first byte on. Raises bad-value, bad-version, too-long or unknown-item. */
export function readConfiguration(file: QemuFileReader): Configuration {
  const { offset } = file
  file.item = 'configuration'
  file.skip(1)
  const length = file.u32()
  if (length > MACHINE_BYTES_MAX) {
    const rule = `a machine type of ${length} bytes, where ${MACHINE_BYTES_MAX} are read`
    throw new QemuStreamError('too-long', offset, file.item, rule)
  }
  let machine = ''
  for (const byte of file.take(length)) machine += String.fromCharCode(byte)
  const subsections: ConfigurationSubsection[] = []
  const told: Told = { capabilities: [] }
  while (file.peek() === ITEM_SUBSECTION) {
    const at = file.offset
    file.skip(1)
    const name = file.str8()
    file.item = name
    const version = file.u32()
    if (version !== SUBSECTION_VERSION) {
      const rule = `version ${version}, where QEMU 7.2 writes ${SUBSECTION_VERSION}`
      throw new QemuStreamError('bad-version', at, name, rule)
    }
    subsections.push({ offset: at, name, version, body: readBody(file, name, told) })
  }
  return { offset, machine, subsections, ...told }
}

function readBody(file: QemuFileReader, name: string, told: Told): Uint8Array {
  if (name === 'configuration/uuid') return file.take(UUID_BYTES).slice()
  if (name === 'configuration/target-page-bits') return readPageBits(file, told)
  if (name === 'configuration/capabilities') return readCapabilities(file, told)
  const rule = 'a subsection of the configuration that is not known, so nobody can tell its length'
  throw new QemuStreamError('unknown-item', file.offset, name, rule)
}

function readPageBits(file: QemuFileReader, told: Told): Uint8Array {
  const { offset } = file
  const bits = file.u32()
  if (bits < PAGE_BITS_MIN || bits > PAGE_BITS_MAX) {
    const rule = `pages of ${bits} bits, where there are from ${PAGE_BITS_MIN} to ${PAGE_BITS_MAX}`
    throw new QemuStreamError('bad-value', offset, file.item, rule)
  }
  told.pageBytes = 2 ** bits
  return Uint8Array.of(0, 0, 0, bits)
}

function readCapabilities(file: QemuFileReader, told: Told): Uint8Array {
  const { offset } = file
  const count = file.u32()
  if (count > CAPABILITIES_MAX) {
    const rule = `${count} capabilities, where QEMU has some twenty`
    throw new QemuStreamError('too-long', offset, file.item, rule)
  }
  const body = [0, 0, count >>> 8, count & 0xff]
  for (let i = 0; i < count; i++) {
    const capability = file.str8()
    told.capabilities.push(capability)
    body.push(capability.length)
    for (let j = 0; j < capability.length; j++) body.push(capability.charCodeAt(j))
  }
  return Uint8Array.from(body)
}
