// Counts the lines it is sent, over all connections, and answers each line with the count. Statics and the heap
// lie in the guest's memory, so they survive the death of a host; nothing else is needed for that.

use std::sync::atomic::{AtomicU64, Ordering};

#[link(wasm_import_module = "colo")]
extern "C" {
    // Sends bytes to a connection. The host has copied them when this returns.
    fn output(connection: i32, bytes: *const u8, length: usize);
}

const INPUT_BYTES: usize = 16384;
static mut INPUT: [u8; INPUT_BYTES] = [0; INPUT_BYTES];
static COUNT: AtomicU64 = AtomicU64::new(0);

/// The version of the contract. A function: a static would export its address.
#[no_mangle]
pub extern "C" fn colo_abi() -> i32 {
    1
}

/// Where the host may write `size` bytes of input; a null pointer refuses them.
#[no_mangle]
pub extern "C" fn colo_buffer(size: usize) -> *mut u8 {
    if size > INPUT_BYTES {
        return std::ptr::null_mut();
    }
    unsafe { std::ptr::addr_of_mut!(INPUT) as *mut u8 }
}

/// This guest keeps nothing for a connection.
#[no_mangle]
pub extern "C" fn colo_open(_connection: i32) {}

#[no_mangle]
pub extern "C" fn colo_close(_connection: i32) {}

/// Bytes from a client: part of a line, or many lines.
#[no_mangle]
pub extern "C" fn colo_input(connection: i32, bytes: *const u8, length: usize) {
    let bytes = unsafe { std::slice::from_raw_parts(bytes, length) };
    for _ in bytes.iter().filter(|byte| **byte == b'\n') {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        let line = format!("{}\n", count);
        unsafe { output(connection, line.as_ptr(), line.len()) };
    }
}
