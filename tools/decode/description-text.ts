// `--desc` as text: the devices that the description has, and their fields, indented, with type and size.

import { readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import type { VMStateDescription, VMStateField } from '../../formats/qemu/vmstate/vmstate.ts'

export function descriptionText(json: Uint8Array, offset: number): string {
  const { page_size, devices } = readVmDescription(json, offset)
  const lines = [`${devices.length} devices, pages of ${page_size} bytes`]
  for (const { name, instance_id, vmsd, isOldStyle } of devices) {
    const what = isOldStyle ? 'bytes of its own' : `${vmsd.name} v${vmsd.version_id}`
    lines.push('', `${name}, instance ${instance_id}: ${what}`)
    addFields(lines, vmsd, '  ')
  }
  return `${lines.join('\n')}\n`
}

function addFields(lines: string[], vmsd: VMStateDescription, indent: string): void {
  for (const field of vmsd.fields) addField(lines, field, indent)
  for (const sub of vmsd.subsections ?? []) {
    lines.push(`${indent}subsection ${sub.name} v${sub.version_id}`)
    addFields(lines, sub, `${indent}  `)
  }
}

function addField(lines: string[], field: VMStateField, indent: string): void {
  const { name, type, count, size, vmsd, elements } = field
  const array = count === undefined ? '' : `[${count}]`
  const bytes = size === undefined ? '' : `, ${size} bytes${count === undefined ? '' : ' each'}`
  const inner = vmsd === undefined ? '' : ` ${vmsd.name} v${vmsd.version_id}`
  lines.push(`${indent}${name}${array}: ${type}${inner}${bytes}`)
  if (vmsd !== undefined) addFields(lines, vmsd, `${indent}  `)
  for (const [index, element] of (elements ?? []).entries()) {
    addField(lines, { ...element, name: `[${index}]` }, `${indent}  `)
  }
}
