// The description that QEMU appends to a stream, letter by letter as QEMU writes it: on one line, with `", "`
// and `": "`, elements of an array in one entry where they are alike by their description. It is made from the
// trees of what was written, since it tells of the stream and not of the devices.

import type { QemuFileWriter } from '../file/qemu-file.ts'
import { ITEM_DESCRIPTION } from '../file/stream-items.ts'
import type { TreeBranch, TreeNode } from '../vmstate/tree-visitor.ts'
import type { VMStateDescription, VMStateField } from '../vmstate/vmstate.ts'

export interface WrittenDevice {
  /** As the head of its section names it. */
  readonly name: string
  readonly instance_id: number
  readonly tree: TreeBranch
  /** Written without VMState, in one buffer. */
  readonly isOldStyle?: boolean
}

/**
 * Appends the description behind the end of a stream. A reader that does not want it stops at the end.
 * @see qemu-streams.md, sections 2 and 3
 */
export function writeVmDescription(
  file: QemuFileWriter,
  page_size: number,
  devices: readonly WrittenDevice[],
): void {
  const json = vmDescriptionJson(page_size, devices)
  file.u8(ITEM_DESCRIPTION)
  file.u32(json.length)
  for (let i = 0; i < json.length; i++) file.u8(json.charCodeAt(i))
}

/** The JSON: ASCII only. */
export function vmDescriptionJson(page_size: number, devices: readonly WrittenDevice[]): string {
  return object([pair('page_size', page_size), `"devices": ${array(devices.map(deviceJson))}`])
}

const object = (members: readonly string[]) => `{${members.join(', ')}}`
const array = (items: readonly string[]) => `[${items.join(', ')}]`

const pair = (key: string, value: string | number) =>
  `"${key}": ${typeof value === 'number' ? value : quoted(value)}`

const hexOf = (one: string) => one.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')

/** With QEMU's escapes: four hexadecimal digits in capitals for all that is not printable ASCII. */
function quoted(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u([0-9a-f]{4})/g, (_all, digits: string) => `\\u${digits.toUpperCase()}`)
    .replace(/[^ -~]/g, (one) => `\\u${hexOf(one)}`)
}

function deviceJson({ name, instance_id, tree, isOldStyle }: WrittenDevice): string {
  const head = [pair('name', name), pair('instance_id', instance_id)]
  if (!isOldStyle) return object([...head, ...bodyMembers(tree)])
  const data = object([pair('name', 'data'), pair('size', tree.size), pair('type', 'buffer')])
  return object([...head, pair('size', tree.size), `"fields": ${array([data])}`])
}

/** Of a device, a struct or a subsection. */
function bodyMembers(branch: TreeBranch): string[] {
  const { vmsd, field } = branch
  if (vmsd === undefined) return []
  const version = branch.version_id ?? field?.struct_version_id ?? vmsd.version_id
  const fields = branch.children.filter(({ kind }) => kind !== 'subsection')
  const subs = branch.children.filter(isBranch).filter(({ kind }) => kind === 'subsection')
  const entries = fields.flatMap((node) => fieldEntries(node, vmsd))
  const members = [pair('vmsd_name', vmsd.name), pair('version', version)]
  members.push(`"fields": ${array(entries)}`)
  if (subs.length > 0) {
    members.push(`"subsections": ${array(subs.map((sub) => object(bodyMembers(sub))))}`)
  }
  return members
}

/** One entry of a field, or one for each element where the elements may differ. */
function fieldEntries(node: TreeNode, vmsd: VMStateDescription): string[] {
  const { field } = node
  if (field === undefined) return []
  const name = uniqueName(vmsd, field)
  if (node.kind !== 'array') return [entry(name, field, node, [])]
  const [first] = node.children
  if (first === undefined) return []
  const count = node.children.length
  if (count === 1) return [entry(name, field, first, [])]
  if (canCompress(field)) return [entry(name, field, first, [pair('array_len', count)])]
  return node.children.map((one, i) => entry(name, field, one, [pair('index', i)]))
}

function entry(
  name: string,
  field: VMStateField,
  node: TreeNode,
  array_members: readonly string[],
): string {
  const type = field.type === 'nullptr' ? 'uint64' : field.type
  const members = [pair('name', name), ...array_members, pair('type', type)]
  if (type === 'struct') members.push(`"struct": ${object(flatMembers(node))}`)
  else members.push(...flatMembers(node))
  members.push(pair('size', node.size))
  return object(members)
}

/** What stands in a field's own object: the body of a struct, those of all elements of a list. */
function flatMembers(node: TreeNode): string[] {
  if (node.kind === 'value') return []
  if (node.kind === 'struct') return bodyMembers(node)
  return node.children.flatMap(flatMembers)
}

const isBranch = (node: TreeNode): node is TreeBranch => node.kind !== 'value'

function canCompress(field: VMStateField): boolean {
  if (field.field_exists !== undefined || field.elements !== undefined) return false
  if (field.type !== 'struct' || field.vmsd === undefined) return true
  return field.vmsd.subsections === undefined && field.vmsd.fields.every(canCompress)
}

/** Fields that share a name are told apart by a number. */
function uniqueName({ fields }: VMStateDescription, field: VMStateField): string {
  const alike = fields.filter(({ name }) => name === field.name)
  if (alike.length < 2) return field.name
  return `${field.name}[${alike.findIndex((one) => one === field)}]`
}
