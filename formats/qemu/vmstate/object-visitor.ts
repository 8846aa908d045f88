// A device in memory as a medium: a plain object with a member for each field, arrays for arrays and lists. What
// is there is filled in place, as QEMU fills the members of its structs, so a field that an older version lacks
// keeps the value it had. A tree (gtree) is an array of `{ key, value }`; a null pointer is null.

import { bitmapBytes } from './binary-visitor.ts'
import {
  isObject,
  memberOf,
  type Members,
  ObjectWalk,
  type ObjectVisitorOptions,
  refuse,
  setMember,
  temporary,
} from './object-walk.ts'
import type { InputVisitor, OutputVisitor } from './visitor.ts'
import { type IntegerType, vmstateType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateDevice, VMStateField } from './vmstate.ts'

export class ObjectInputVisitor implements InputVisitor {
  readonly offset = 0
  readonly #walk: ObjectWalk

  constructor(device: VMStateDevice, options: ObjectVisitorOptions = {}) {
    this.#walk = new ObjectWalk(device, options)
  }

  get device(): VMStateDevice {
    return this.#walk.top.device
  }

  local(name: string): unknown {
    return memberOf(this.#walk.top.device, name)
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    const { root, top } = this.#walk
    const device = field === undefined ? root : this.#struct(vmsd, field, top.device)
    this.#walk.push({ device, next: 0 })
  }

  endStruct(): void {
    this.#walk.pop()
  }

  beginArray(field: VMStateField, count: number): void {
    const items = this.#items(field)
    if (items.length < count) refuse(field.name, `${items.length} elements, ${count} were due`)
    this.#walk.push({ device: this.#walk.top.device, items, next: 0 })
  }

  endArray(): void {
    this.#walk.pop()
  }

  beginList(field: VMStateField): number {
    const items = this.#items(field)
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#walk.push({ device: this.#walk.top.device, items, isTree, next: -1 })
    return items.length
  }

  nextElement(): boolean {
    const { top } = this.#walk
    return ++top.next < (top.items?.length ?? 0)
  }

  endList(): void {
    this.#walk.pop()
  }

  nullPointer(field: VMStateField): boolean {
    const { top } = this.#walk
    const value = top.items === undefined ? memberOf(top.device, field.name) : top.items[top.next]
    if (value !== null) return false
    this.#take(field)
    return true
  }

  bool(field: VMStateField): boolean {
    const value = this.#take(field)
    return typeof value === 'boolean' ? value : refuse(field.name, `${String(value)} is no boolean`)
  }

  int(field: VMStateField, type: IntegerType): number {
    const value = this.#take(field)
    if (typeof value === 'number' && Number.isInteger(value)) {
      const span = 2 ** (8 * type.bytes)
      const least = type.signed ? -span / 2 : 0
      if (value >= least && value < least + span) return value
    }
    return refuse(field.name, `${String(value)} is no ${field.type}`)
  }

  int64(field: VMStateField, type: IntegerType): bigint {
    const value = this.#take(field)
    if (typeof value === 'bigint') {
      const fits = type.signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)
      if (fits === value) return value
    }
    return refuse(field.name, `${String(value)} is no ${field.type}`)
  }

  bytes(field: VMStateField, size: number): Uint8Array {
    const value = this.#take(field)
    if (value instanceof Uint8Array && value.length === size) return value
    return refuse(field.name, `not a Uint8Array of ${size} bytes`)
  }

  bitmap(field: VMStateField, bits: number): Uint8Array {
    return this.bytes(field, bitmapBytes(bits))
  }

  text(field: VMStateField): string {
    const value = this.#take(field)
    return typeof value === 'string' ? value : refuse(field.name, 'not a string')
  }

  peekSubsection(parent: VMStateDescription): string | undefined {
    const { top, isNested } = this.#walk
    for (;;) {
      const sub = parent.subsections?.[top.next]
      if (sub === undefined) return undefined
      const isThere = !isNested || memberOf(top.device, sub.name) !== undefined
      if (isThere && (sub.needed?.(top.device) ?? true)) return sub.name
      top.next++
    }
  }

  beginSubsection(vmsd: VMStateDescription): number {
    const { top, isNested } = this.#walk
    top.next++
    const device = isNested ? memberOf(top.device, vmsd.name) : top.device
    if (!isObject(device)) return refuse(vmsd.name, 'not an object')
    this.#walk.push({ device, next: 0 })
    return vmsd.version_id
  }

  endSubsection(): void {
    this.#walk.pop()
  }

  #struct(vmsd: VMStateDescription, field: VMStateField, device: Members): Members {
    if (field.type === 'tmp' && vmsd.pre_save !== undefined) return temporary(device)
    const value = this.#take(field)
    return isObject(value) ? value : refuse(field.name, 'not an object')
  }

  #items(field: VMStateField): unknown[] {
    const value = this.#take(field)
    const isArray = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
    return isArray ? (value as unknown[]) : refuse(field.name, 'not an array')
  }

  /** The value in turn. */
  #take(field: VMStateField): unknown {
    const { top } = this.#walk
    if (top.items === undefined) return memberOf(top.device, field.name)
    if (top.isTree === undefined) return top.items[top.next++]
    const element = top.items[top.next]
    if (!top.isTree) return element
    return isObject(element) ? memberOf(element, field.name) : refuse(field.name, 'not an object')
  }
}

export class ObjectOutputVisitor implements OutputVisitor {
  readonly #walk: ObjectWalk

  constructor(device: VMStateDevice, options: ObjectVisitorOptions = {}) {
    this.#walk = new ObjectWalk(device, options)
  }

  get device(): VMStateDevice {
    return this.#walk.top.device
  }

  local(name: string): unknown {
    return memberOf(this.#walk.top.device, name)
  }

  beginStruct(_vmsd: VMStateDescription, field?: VMStateField): void {
    const { root } = this.#walk
    this.#walk.push({ device: field === undefined ? root : this.#struct(field), next: 0 })
  }

  endStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    const { device } = this.#walk.top
    this.#walk.pop()
    // Without a hook nobody could carry its values over, so it stays.
    if (field?.type === 'tmp' && vmsd.post_load === undefined) this.#put(field, device)
  }

  beginArray(field: VMStateField, count: number): void {
    const there = this.#there(field)
    const isView = ArrayBuffer.isView(there) && 'length' in there && there.length === count
    const items = Array.isArray(there) || isView ? (there as unknown[]) : []
    if (!isView && items.length > count) items.length = count
    this.#put(field, items)
    this.#walk.push({ device: this.#walk.top.device, items, next: 0 })
  }

  endArray(): void {
    this.#walk.pop()
  }

  beginList(field: VMStateField): void {
    const items: unknown[] = []
    this.#put(field, items)
    const isTree = vmstateType(field.type).kind === 'tree'
    this.#walk.push({ device: this.#walk.top.device, items, isTree, next: -1 })
  }

  nextElement(): void {
    const { top } = this.#walk
    top.next++
    if (top.isTree) top.items?.push({})
  }

  endList(): void {
    this.#walk.pop()
  }

  nullPointer(field: VMStateField): void {
    this.#put(field, null)
  }

  bool(field: VMStateField, value: boolean): void {
    this.#put(field, value)
  }

  int(field: VMStateField, type: IntegerType, value: number): void {
    if (type.check !== 'equal' || this.#there(field) === undefined) this.#put(field, value)
    else this.#skip()
  }

  int64(field: VMStateField, type: IntegerType, value: bigint): void {
    if (type.check !== 'equal' || this.#there(field) === undefined) this.#put(field, value)
    else this.#skip()
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    const there = this.#there(field)
    if (there instanceof Uint8Array && there.length === value.length) {
      there.set(value)
      this.#skip()
    } else this.#put(field, value.slice())
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.bytes(field, value)
  }

  text(field: VMStateField, value: string): void {
    this.#put(field, value)
  }

  beginSubsection(vmsd: VMStateDescription): void {
    const { top, isNested } = this.#walk
    let device = top.device
    if (isNested) {
      const there = memberOf(device, vmsd.name)
      const inner = isObject(there) ? there : {}
      setMember(device, vmsd.name, inner)
      device = inner
    }
    this.#walk.push({ device, next: 0 })
  }

  endSubsection(): void {
    this.#walk.pop()
  }

  #struct(field: VMStateField): Members {
    if (field.type === 'tmp') return temporary(this.#walk.top.device)
    const there = this.#there(field)
    const device = isObject(there) ? there : {}
    this.#put(field, device)
    return device
  }

  /** What is at the place in turn. */
  #there(field: VMStateField): unknown {
    const { top } = this.#walk
    if (top.items === undefined) return memberOf(top.device, field.name)
    return top.isTree === undefined ? top.items[top.next] : undefined
  }

  #put(field: VMStateField, value: unknown): void {
    const { top } = this.#walk
    if (top.items === undefined) setMember(top.device, field.name, value)
    else if (top.isTree === undefined) top.items[top.next++] = value
    else if (top.isTree) setMember(top.items[top.next] as Members, field.name, value)
    else top.items[top.next] = value
  }

  #skip(): void {
    if (this.#walk.top.items !== undefined) this.#walk.top.next++
  }
}
