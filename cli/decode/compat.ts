// `--compat`: what QEMU's own scripts/analyze-migration.py (of 7.2) prints for `-d state` and for `-d desc`, byte
// for byte, so that whatever reads its output can read ours.

import { BinaryInputVisitor } from '../../shared/formats/qemu/binary-visitor.ts'
import { textOfBytes } from '../../shared/formats/qemu/description-sizes.ts'
import type { SectionHead } from '../../shared/formats/qemu/migration-sink.ts'
import { MigrationWriter } from '../../shared/formats/qemu/migration-writer.ts'
import { QemuFileReader, QemuFileWriter } from '../../shared/formats/qemu/qemu-file.ts'
import { QemuStreamError } from '../../shared/formats/qemu/qemu-stream-error.ts'
import { transfer } from '../../shared/formats/qemu/transfer.ts'
import type { VMStateDescription } from '../../shared/formats/qemu/vmstate.ts'
import { CompatVisitor } from './compat-visitor.ts'
import type { DeviceStates, KeptSection } from './device-states.ts'
import { hexOf, quoted } from './value-text.ts'

const INDENT = '    '

/** The description, indented; a key that repeats in an object counts once, with its last value. */
export function compatDescription(json: Uint8Array): string {
  return `${JSON.stringify(JSON.parse(textOfBytes(json)), undefined, INDENT)}\n`
}

/** Of the n-th section of that name and instance, from 0; -1: the last that is described. */
export type FindVmsd = (
  head: Pick<SectionHead, 'idstr' | 'instanceId'>,
  occurrence: number,
) => VMStateDescription | undefined

/** Sections without a description are left out; their names are given to `missing`. */
export function compatState(
  states: DeviceStates,
  sections: readonly KeptSection[],
  find: FindVmsd,
  missing: (section: KeptSection, reason: string) => void,
): string {
  const parts: string[] = []
  if (states.ram !== undefined) parts.push(ramText(states.ram))
  for (const [index, section] of sections.entries()) {
    const { head, occurrence } = section
    const vmsd = find(head, occurrence)
    if (vmsd === undefined) {
      missing(section, 'there is no description of it')
      continue
    }
    const key = `${INDENT}${quoted(`${head.idstr} (${head.sectionId})`)}: `
    const astray = find(head, -1)
    const wrong =
      astray === undefined || astray === vmsd ? undefined : wrongText(sections, index, astray)
    parts.push(key + (wrong?.text ?? deviceText(section, vmsd, missing)))
    if (wrong?.isLast) break
  }
  return parts.length === 0 ? '{}\n' : `{\n${parts.join(',\n')}\n}\n`
}

/**
 * Of two devices of one name and instance the script knows the last description only. With it, it reads the
 * first beyond its end; it goes on only if it then meets that section's footer, and stops at a byte 0.
 */
function wrongText(
  sections: readonly KeptSection[],
  index: number,
  vmsd: VMStateDescription,
): { readonly text: string; readonly isLast: boolean } | undefined {
  const first = sections[index]
  if (first === undefined) return undefined
  const bytes = restOf(sections.slice(index))
  const file = QemuFileReader.over(bytes, first.bodyOffset)
  const from = new BinaryInputVisitor(file)
  const to = new CompatVisitor(from, bytes, first.bodyOffset, INDENT)
  try {
    transfer(vmsd, from, to)
  } catch {
    return undefined
  }
  if (file.offset === first.bodyOffset + first.bytes.length) return undefined
  return file.peek() === 0 ? { text: to.written, isLast: true } : undefined
}

/** The stream from the first one's body on, as far as it is device sections. */
function restOf(sections: readonly KeptSection[]): Uint8Array {
  const parts: Uint8Array[] = []
  const file = new QemuFileWriter({ write: (bytes) => void parts.push(bytes.slice()) })
  const writer = new MigrationWriter(file)
  for (const [index, { head, bodyOffset, bytes, delimiter }] of sections.entries()) {
    if (index > 0) writer.sectionBegins(head)
    writer.body(head, { offset: bodyOffset, bytes, delimiter })
    writer.sectionEnds(head, 0, true)
  }
  writer.endOfItems()
  file.flush()
  return new Uint8Array(Buffer.concat(parts))
}

function ramText({ head, blocks }: NonNullable<DeviceStates['ram']>): string {
  const inner = INDENT.repeat(3)
  const sizes = blocks.map(({ name, usedBytes }) => {
    return `${inner}${quoted(name)}: "${hexOf(BigInt(usedBytes), 8)}"`
  })
  const list = sizes.length === 0 ? '{}' : `{\n${sizes.join(',\n')}\n${INDENT.repeat(2)}}`
  const key = quoted(`${head.idstr} (${head.sectionId})`)
  return `${INDENT}${key}: {\n${INDENT.repeat(2)}"section sizes": ${list}\n${INDENT}}`
}

function deviceText(
  section: KeptSection,
  vmsd: VMStateDescription,
  missing: (section: KeptSection, reason: string) => void,
): string {
  const { bytes, bodyOffset } = section
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes, bodyOffset))
  const to = new CompatVisitor(from, bytes, bodyOffset, INDENT)
  try {
    transfer(vmsd, from, to)
    return to.written
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    missing(section, error.message)
    return '{}'
  }
}
