//! Compiles `proto/` into one set of Rust types that is the JSON, the protobuf and the OpenAPI
//! schema, without `protoc`.

use std::path::Path;

use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const FILES: [&str; 4] = ["objects", "events", "socket", "rest"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let files: Vec<_> = FILES.iter().map(|f| format!("parlor/v1/{f}.proto")).collect();
    let set = protox::compile(&files, [&root])?;
    let mut config = prost_build::Config::new();
    config
        .message_attribute(".", "#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]")
        .message_attribute(".", "#[serde(default)]")
        .enum_attribute(".", "#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]")
        .enum_attribute(".", "#[serde(rename_all = \"snake_case\")]");
    // Seldom there: what is plain is to have no room for it.
    for message in ["Message", "Revision", "Send", "Edit", "SendRequest", "EditRequest"] {
        config.boxed(format!(".parlor.v1.{message}.encrypted"));
    }
    attribute_fields(&mut config, &set);
    config.compile_fds(set)?;
    flatten_oneofs()?;
    Ok(())
}

/// In JSON the alternative stands beside the other fields. An attribute on the path of a oneof
/// would reach its variants too, so this is said afterwards.
fn flatten_oneofs() -> Result<(), Box<dyn std::error::Error>> {
    let file = Path::new(&std::env::var("OUT_DIR")?).join("parlor.v1.rs");
    let text = std::fs::read_to_string(&file)?;
    let text = text
        .replace("#[prost(oneof =", "#[serde(flatten)]\n    #[prost(oneof =")
        .replace("#[prost(\n        oneof =", "#[serde(flatten)]\n    #[prost(\n        oneof =");
    std::fs::write(file, text)?;
    Ok(())
}

/// The rules of the JSON form that follow from a field's name and type.
fn attribute_fields(config: &mut prost_build::Config, set: &FileDescriptorSet) {
    for message in set.file.iter().flat_map(|file| &file.message_type) {
        let path = format!(".parlor.v1.{}", message.name());
        for oneof in message.oneof_decl.iter().filter(|o| !o.name().starts_with('_')) {
            if matches!(oneof.name(), "command" | "frame") {
                config
                    .enum_attribute(format!("{path}.{}", oneof.name()), "#[serde(tag = \"type\")]");
            }
        }
        if message.name().ends_with("Request") {
            config.message_attribute(&path, "#[serde(deny_unknown_fields)]");
        }
        for field in &message.field {
            attribute_field(config, &path, message, field);
        }
    }
}

fn attribute_field(
    config: &mut prost_build::Config,
    path: &str,
    message: &DescriptorProto,
    field: &FieldDescriptorProto,
) {
    let path = format!("{path}.{}", field.name());
    let optional = field.proto3_optional();
    let moment = field.name() == "at" || field.name().ends_with("_at");
    if moment && field.r#type() == Type::Int64 {
        let with = if optional { "optional" } else { "required" };
        config.field_attribute(&path, format!("#[serde(with = \"crate::time::{with}\")]"));
        let form = if optional { "Option<String>" } else { "String" };
        let schema = format!("#[schema(value_type = {form}, format = DateTime)]");
        config.field_attribute(&path, schema);
    }
    if message.name().ends_with("Request") && !moment && field.r#type() == Type::Int64 {
        let with = if optional { "number::optional" } else { "number" };
        config.field_attribute(&path, format!("#[serde(with = \"crate::{with}\")]"));
    }
    if message.name() == "ToDeviceEvent" && field.name() == "content" {
        config.field_attribute(&path, "#[serde(with = \"crate::opaque\")]");
        config.field_attribute(&path, "#[schema(value_type = Object)]");
    }
    let frame = matches!(message.name(), "Event" | "Ok" | "Error" | "ErrorDetail" | "Subscribe");
    if frame && optional {
        config.field_attribute(&path, "#[serde(skip_serializing_if = \"Option::is_none\")]");
    }
}
