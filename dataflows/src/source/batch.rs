//! Messages by the batch: the one call that rdkafka has no safe form of, and that a per-message poll costs a
//! microsecond a message without.
#![allow(unsafe_code)]

use dcmms_operators::chunk::Format;
use dcmms_schemas::wire::{FORMAT_ARROW, FORMAT_HEADER};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka_sys as sys;
use std::{
    ffi::{CStr, CString, c_char, c_int},
    time::Duration,
};

/// A consumer's queue, read many messages at a time.
pub(super) struct BatchQueue<'a> {
    queue: *mut sys::rd_kafka_queue_t,
    messages: Vec<*mut sys::rd_kafka_message_t>,
    format_header: CString,
    // The queue must not outlive the client it belongs to.
    _consumer: &'a BaseConsumer,
}

/// One message, borrowed while the batch is walked.
pub(super) struct Message<'a> {
    pub(super) topic: *const sys::rd_kafka_topic_t,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) payload: &'a [u8],
    pub(super) format: Format,
}

/// What a batch holds beside messages.
pub(super) enum Event<'a> {
    Message(Message<'a>),
    /// The end of a partition, at this offset.
    End {
        topic: *const sys::rd_kafka_topic_t,
        partition: i32,
        offset: i64,
    },
    /// Something is wrong; librdkafka goes on trying unless it is fatal.
    Error {
        code: sys::rd_kafka_resp_err_t,
        text: String,
    },
}

impl<'a> BatchQueue<'a> {
    pub(super) fn new(consumer: &'a BaseConsumer, batch_max: usize) -> Option<BatchQueue<'a>> {
        // SAFETY: the client pointer is valid as long as `consumer` is borrowed; the logger is a function of this program.
        let queue = unsafe {
            // What librdkafka logs comes through this queue too, and would go to the standard error past our log.
            sys::rd_kafka_set_logger(consumer.client().native_ptr(), Some(log));
            sys::rd_kafka_queue_get_consumer(consumer.client().native_ptr())
        };
        let format_header = CString::new(FORMAT_HEADER).expect("a header name has no NUL");
        (!queue.is_null()).then(|| BatchQueue {
            queue,
            messages: vec![std::ptr::null_mut(); batch_max],
            format_header,
            _consumer: consumer,
        })
    }

    /// Waits up to `wait` for a batch and calls `each` for what is in it, in order.
    pub(super) fn drain(&mut self, wait: Duration, mut each: impl FnMut(Event<'_>)) -> usize {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: `messages` has room for as many pointers as we say, and the queue lives.
        let got = unsafe { sys::rd_kafka_consume_batch_queue(self.queue, wait_ms, self.messages.as_mut_ptr(), self.messages.len()) };
        let got = usize::try_from(got).unwrap_or(0);
        for index in 0..got {
            let message = self.messages[index];
            // SAFETY: librdkafka gave us `got` valid messages; each is destroyed once, after its last use.
            unsafe {
                each(self.event(message));
                sys::rd_kafka_message_destroy(message);
            }
        }
        got
    }

    /// # Safety
    /// `message` is one that librdkafka just gave us and that is not destroyed yet.
    unsafe fn event<'m>(&self, message: *mut sys::rd_kafka_message_t) -> Event<'m> {
        // SAFETY: as the caller promises.
        unsafe {
            let head = &*message;
            match head.err {
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Event::Message(Message {
                    topic: head.rkt,
                    partition: head.partition,
                    offset: head.offset,
                    payload: if head.payload.is_null() { &[] } else { std::slice::from_raw_parts(head.payload.cast(), head.len) },
                    format: self.format(message),
                }),
                sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => {
                    Event::End { topic: head.rkt, partition: head.partition, offset: head.offset }
                }
                code => {
                    let text = sys::rd_kafka_message_errstr(message);
                    let text = if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() };
                    Event::Error { code, text }
                }
            }
        }
    }

    /// # Safety
    /// As [`BatchQueue::event`].
    unsafe fn format(&self, message: *const sys::rd_kafka_message_t) -> Format {
        let mut headers = std::ptr::null_mut();
        let mut value = std::ptr::null();
        let mut length = 0;
        // SAFETY: the headers belong to the message; the value is read before the message is destroyed.
        unsafe {
            if sys::rd_kafka_message_headers(message, &mut headers) != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Format::Json;
            }
            let found = sys::rd_kafka_header_get_last(headers, self.format_header.as_ptr(), &mut value, &mut length);
            let found = found == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && !value.is_null();
            if found && std::slice::from_raw_parts(value.cast::<u8>(), length) == FORMAT_ARROW.as_bytes() {
                Format::Arrow
            } else {
                Format::Json
            }
        }
    }
}

impl Drop for BatchQueue<'_> {
    fn drop(&mut self) {
        // SAFETY: we took one reference in `new` and give it back once.
        unsafe { sys::rd_kafka_queue_destroy(self.queue) }
    }
}

/// Puts a line of librdkafka's into our log, in the words that rdkafka uses for the other clients.
///
/// # Safety
/// Called by librdkafka, with texts that live as long as the call.
unsafe extern "C" fn log(_: *const sys::rd_kafka_t, level: c_int, facility: *const c_char, text: *const c_char) {
    let read = |text: *const c_char| {
        if text.is_null() {
            return String::new();
        }
        // SAFETY: as the caller promises.
        unsafe { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    let (facility, text) = (read(facility), read(text));
    // Levels of syslog: up to 3 an error, 4 a warning, 5 a notice, 6 information.
    match level {
        ..=3 => tracing::error!(target: "librdkafka", "librdkafka: {facility} {text}"),
        4 => tracing::warn!(target: "librdkafka", "librdkafka: {facility} {text}"),
        5 | 6 => tracing::info!(target: "librdkafka", "librdkafka: {facility} {text}"),
        _ => tracing::debug!(target: "librdkafka", "librdkafka: {facility} {text}"),
    }
}

/// The name of a topic handle that came with a message or an end.
pub(super) fn topic_name(topic: *const sys::rd_kafka_topic_t) -> String {
    if topic.is_null() {
        return String::new();
    }
    // SAFETY: a topic handle lives as long as the client that made it, and its name as long as the handle.
    unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(topic)).to_string_lossy().into_owned() }
}
