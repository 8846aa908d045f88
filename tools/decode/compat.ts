// `--compat`: what QEMU's own scripts/analyze-migration.py (of 7.2) prints for `-d state` and for `-d desc`, byte
// for byte, so that whatever reads its output can read ours.

import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { textOfBytes } from '../../formats/qemu/description/description-sizes.ts'
import { MigrationWriter } from '../../formats/qemu/stream/migration-writer.ts'
import { QemuFileReader, QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { CompatVisitor } from './compat-visitor.ts'
import type { DeviceStates, KeptSection } from './device-states.ts'
import type { FindVmsd } from './descriptions.ts'
import type { TextOutput } from './text-output.ts'
import { hexOf, quoted } from './value-text.ts'

const INDENT = '    '

/** The description, indented; a key that repeats in an object counts once, with its last value. */
export function compatDescription(json: Uint8Array): string {
  return `${JSON.stringify(JSON.parse(textOfBytes(json)), undefined, INDENT)}\n`
}

/** Sections without a description are left out; their names are given to `missing`. */
export function compatState(
  states: DeviceStates,
  find: FindVmsd,
  out: TextOutput,
  missing: (section: KeptSection, reason: string) => void,
): void {
  const sections = states.last?.sections ?? []
  let separator = '\n'
  out.add('{')
  if (states.ram !== undefined) {
    out.add(`${separator}${ramText(states.ram)}`)
    separator = ',\n'
  }
  for (const [index, section] of sections.entries()) {
    const { head, occurrence } = section
    const vmsd = find(head, occurrence)
    if (vmsd === undefined) {
      missing(section, 'there is no description of it')
      continue
    }
    out.add(`${separator}${INDENT}${quoted(`${head.idstr} (${head.sectionId})`)}: `)
    separator = ',\n'
    const astray = find(head, -1)
    if (astray !== undefined && astray !== vmsd && readsAstray(sections, index, astray, out)) break
    writeDevice(section, vmsd, out, missing)
    out.mayFlush()
  }
  out.add(separator === '\n' ? '}\n' : '\n}\n')
}

/**
 * Of two devices of one name and instance the script knows the last description only. With it, it reads the
 * first beyond its end; it goes on only if it then meets that section's footer, and stops at a byte 0.
 */
function readsAstray(
  sections: readonly KeptSection[],
  index: number,
  vmsd: VMStateDescription,
  out: TextOutput,
): boolean {
  const { bodyOffset, bytes: own } = sections[index]
  const bytes = restOf(sections.slice(index))
  const file = QemuFileReader.over(bytes, bodyOffset)
  const from = new BinaryInputVisitor(file)
  const { mark } = out
  try {
    transfer(vmsd, from, new CompatVisitor(out, from, bytes, bodyOffset, INDENT))
    if (file.offset !== bodyOffset + own.length && file.peek() === 0) return true
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
  }
  out.rewind(mark)
  return false
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

function writeDevice(
  section: KeptSection,
  vmsd: VMStateDescription,
  out: TextOutput,
  missing: (section: KeptSection, reason: string) => void,
): void {
  const { bytes, bodyOffset } = section
  const from = new BinaryInputVisitor(QemuFileReader.over(bytes, bodyOffset))
  const { mark } = out
  try {
    transfer(vmsd, from, new CompatVisitor(out, from, bytes, bodyOffset, INDENT))
  } catch (error) {
    if (!(error instanceof QemuStreamError)) throw error
    missing(section, error.message)
    out.rewind(mark)
    out.add('{}')
  }
}
