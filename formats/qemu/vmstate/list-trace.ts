// What QEMU says when it reads or writes a list or a tree: each kind of list has events of its own, in words
// that are not quite alike.

import type { QemuTrace } from './trace-events.ts'
import type { VMStateField } from './vmstate.ts'

const vmsdName = (field: VMStateField) => field.vmsd?.name ?? field.name

/** Before the first element. A gtree says how many there are. */
export function traceListBegin(
  trace: QemuTrace,
  field: VMStateField,
  isLoad: boolean,
  count: number,
): void {
  const version = field.vmsd?.version_id ?? 0
  if (field.type === 'qtailq') {
    trace(isLoad ? 'get_qtailq' : 'put_qtailq', vmsdName(field), version)
  } else if (field.type === 'qlist') {
    trace(isLoad ? 'get_qlist' : 'put_qlist', field.name, vmsdName(field), version)
  } else {
    const key = field.key_vmsd?.name ?? 'direct'
    trace(isLoad ? 'get_gtree' : 'put_gtree', field.name, key, vmsdName(field), count)
  }
}

/** After the last one. */
export function traceListEnd(trace: QemuTrace, field: VMStateField, isLoad: boolean): void {
  if (field.type === 'qtailq') {
    if (isLoad) trace('get_qtailq_end', vmsdName(field), 'end', 0)
    else trace('put_qtailq_end', vmsdName(field), 'end')
  } else if (field.type === 'qlist') {
    trace(isLoad ? 'get_qlist_end' : 'put_qlist_end', field.name, vmsdName(field))
  } else {
    const key = field.key_vmsd?.name ?? 'direct'
    trace(isLoad ? 'get_gtree_end' : 'put_gtree_end', field.name, key, vmsdName(field), 0)
  }
}
