// Reads a Configuration: the machine, and the subsections with their values, as the bytes that a stream has.

import type { Configuration, ConfigurationSubsection } from '../qemu/stream/migration-sink.ts'
import type { BerReader } from './ber-reader.ts'
import { CONFIGURATION_STATES } from './configuration-state.ts'
import { stateOutOfBer } from './device-state.ts'
import { TAGS } from './migration-tags.ts'

const U32_MAX = 2 ** 32 - 1
/** Of a configuration; QEMU has three. */
const SUBSECTIONS_MAX = 64
const PAGE_BITS = 'configuration/target-page-bits'
/** As the reader of streams has it. */
const PAGE_BITS_MIN = 10
const PAGE_BITS_MAX = 16

/** `pageBytes`: of a page of the target, where the configuration does not say. Raises BerError. */
export function readConfiguration(
  ber: BerReader,
  pageBytes: number,
): Configuration & { readonly pageBytes: number } {
  ber.item = 'configuration'
  ber.enter(TAGS.Configuration)
  const machine = ber.name()
  const subsections: ConfigurationSubsection[] = []
  let size = pageBytes
  if (ber.tag === TAGS.SubSecList) {
    ber.enter(TAGS.SubSecList)
    while (ber.more) {
      if (subsections.length === SUBSECTIONS_MAX) {
        throw ber.error('too-long', `more than ${SUBSECTIONS_MAX} subsections`)
      }
      const { offset } = ber
      const subsection = readSubsection(ber)
      if (subsection.name === PAGE_BITS) size = pageBytesOf(ber, subsection.body, offset)
      subsections.push(subsection)
    }
    ber.leave()
  }
  ber.leave()
  return { offset: 0, machine, subsections, pageBytes: size, capabilities: [] }
}

function readSubsection(ber: BerReader): ConfigurationSubsection {
  const { offset } = ber
  ber.enter(TAGS.SubSection)
  const name = ber.name()
  ber.item = name
  const version = ber.count(U32_MAX, 'versionid')
  const vmsd = CONFIGURATION_STATES.find((one) => one.name === name)
  if (vmsd === undefined) {
    const known = CONFIGURATION_STATES.map((one) => one.name).join(', ')
    throw ber.error('unexpected', `a subsection of the configuration other than ${known}`, offset)
  }
  const body = stateOutOfBer(ber, vmsd, version).slice()
  ber.leave()
  return { offset: 0, name, version, body }
}

function pageBytesOf(ber: BerReader, body: Uint8Array, offset: number): number {
  const bits = new DataView(body.buffer).getUint32(0)
  if (bits >= PAGE_BITS_MIN && bits <= PAGE_BITS_MAX) return 2 ** bits
  const rule = `pages of ${bits} bits: from ${PAGE_BITS_MIN} to ${PAGE_BITS_MAX} are possible`
  throw ber.error('bad-value', rule, offset)
}
