// What is in a stream as a tree, for people and programs that look at it: a node for each value with its name,
// type and place. Places come from the visitor of the bytes that works at the same time, be it the one that is
// read from or one that is written to beside the tree.

import type { OutputVisitor } from './visitor.ts'
import { type IntegerType, vmstateType } from './vmstate-types.ts'
import type { VMStateDescription, VMStateField } from './vmstate.ts'

interface TreePlace {
  /** Of its first byte in the stream. */
  readonly offset: number
  /** In bytes, with all that is in it. */
  size: number
}

export interface TreeValue extends TreePlace {
  readonly kind: 'value'
  readonly name: string
  readonly field: VMStateField
  /** Bytes for buffers, bitmaps and opaque types; null for a null pointer. */
  readonly value: number | bigint | boolean | string | Uint8Array | null
}

export interface TreeBranch extends TreePlace {
  /** `element`: of a gtree, with a key and a value. */
  readonly kind: 'struct' | 'subsection' | 'array' | 'list' | 'element'
  readonly name: string
  /** Absent of the whole device and of a subsection. */
  readonly field: VMStateField | undefined
  /** Of a struct or a subsection. */
  readonly vmsd: VMStateDescription | undefined
  /** Of a subsection, as the stream has it. */
  readonly version_id: number | undefined
  /** A struct's fields and then its subsections; the elements of an array or a list. */
  readonly children: TreeNode[]
}

export type TreeNode = TreeValue | TreeBranch

export class TreeOutputVisitor implements OutputVisitor {
  readonly #position: { readonly offset: number }
  readonly #open: TreeBranch[] = []
  /** Where the last value ended, so that the next begins. */
  #last: number
  #root: TreeBranch | undefined

  constructor(position: { readonly offset: number }) {
    this.#position = position
    this.#last = position.offset
  }

  /** The device; if the walk was broken off, what came before: sizes of what was open are 0. */
  get root(): TreeBranch | undefined {
    return this.#root
  }

  beginStruct(vmsd: VMStateDescription, field?: VMStateField): void {
    this.#begin('struct', field?.name ?? vmsd.name, field, vmsd)
  }

  endStruct(): void {
    this.#end()
  }

  beginArray(field: VMStateField): void {
    this.#begin('array', field.name, field)
  }

  endArray(): void {
    this.#end()
  }

  beginList(field: VMStateField): void {
    this.#begin('list', field.name, field)
    this.#last = this.#position.offset
  }

  nextElement(field: VMStateField): void {
    const isTree = vmstateType(field.type).kind === 'tree'
    if (isTree && this.#open.at(-1)?.kind === 'element') this.#endElement()
    this.#last = this.#position.offset
    if (isTree) this.#begin('element', field.name, field)
  }

  endList(): void {
    if (this.#open.at(-1)?.kind === 'element') this.#endElement()
    this.#end()
  }

  nullPointer(field: VMStateField): void {
    this.#value(field, null)
  }

  bool(field: VMStateField, value: boolean): void {
    this.#value(field, value)
  }

  int(field: VMStateField, _type: IntegerType, value: number): void {
    this.#value(field, value)
  }

  int64(field: VMStateField, _type: IntegerType, value: bigint): void {
    this.#value(field, value)
  }

  bytes(field: VMStateField, value: Uint8Array): void {
    this.#value(field, value.slice())
  }

  bitmap(field: VMStateField, _bits: number, value: Uint8Array): void {
    this.#value(field, value.slice())
  }

  text(field: VMStateField, value: string): void {
    this.#value(field, value)
  }

  beginSubsection(vmsd: VMStateDescription, version_id: number): void {
    this.#begin('subsection', vmsd.name, undefined, vmsd, version_id)
    this.#last = this.#position.offset
  }

  endSubsection(): void {
    this.#end()
  }

  #begin(
    kind: TreeBranch['kind'],
    name: string,
    field: VMStateField | undefined,
    vmsd?: VMStateDescription,
    version_id?: number,
  ): void {
    const place = { offset: this.#last, size: 0 }
    const node: TreeBranch = { kind, name, field, vmsd, version_id, children: [], ...place }
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#root = node
    else parent.children.push(node)
    this.#open.push(node)
  }

  #end(): void {
    this.#last = this.#position.offset
    this.#endElement()
  }

  #endElement(): void {
    const node = this.#open.pop()
    if (node !== undefined) node.size = this.#last - node.offset
  }

  #value(field: VMStateField, value: TreeValue['value']): void {
    const offset = this.#last
    this.#last = this.#position.offset
    const size = this.#last - offset
    const node: TreeValue = { kind: 'value', name: field.name, field, value, offset, size }
    this.#open.at(-1)?.children.push(node)
  }
}
