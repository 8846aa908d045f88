// `--compat`: what QEMU's own scripts/analyze-migration.py (of 7.2) prints for `-d state` and for `-d desc`, byte
// for byte, so that whatever reads its output can read ours.

import { BinaryInputVisitor } from '../../shared/formats/qemu/binary-visitor.ts'
import { textOfBytes } from '../../shared/formats/qemu/description-sizes.ts'
import { QemuFileReader } from '../../shared/formats/qemu/qemu-file.ts'
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

export type FindVmsd = (idstr: string, instanceId: number) => VMStateDescription | undefined

/** Sections without a description are left out; their names are given to `missing`. */
export function compatState(
  states: DeviceStates,
  sections: readonly KeptSection[],
  find: FindVmsd,
  missing: (section: KeptSection, reason: string) => void,
): string {
  const parts: string[] = []
  if (states.ram !== undefined) parts.push(ramText(states.ram))
  for (const section of sections) {
    const { idstr, instanceId, sectionId } = section.head
    const vmsd = find(idstr, instanceId)
    if (vmsd === undefined) {
      missing(section, 'there is no description of it')
      continue
    }
    const text = deviceText(section, vmsd, missing)
    parts.push(`${INDENT}${quoted(`${idstr} (${sectionId})`)}: ${text}`)
  }
  return parts.length === 0 ? '{}\n' : `{\n${parts.join(',\n')}\n}\n`
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
