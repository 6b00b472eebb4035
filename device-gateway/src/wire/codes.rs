//! Our words for reasons, as numbers of either version.
use crate::packet::{AckCode, Disconnect, Granted, Rejection, Unsent, Violation};
use mqtt_protocol_core::mqtt::result_code as code;

pub(super) fn violation(error: code::MqttError) -> Violation {
    use code::MqttError as E;
    match error {
        E::PacketTooLarge => Violation::TooLarge,
        E::ReceiveMaximumExceeded => Violation::ReceiveMaximum,
        E::UnsupportedProtocolVersion => Violation::UnsupportedVersion,
        E::ProtocolError | E::TopicAliasInvalid | E::InvalidPacketForRole | E::VersionMismatch => Violation::Protocol,
        _ => Violation::Malformed,
    }
}

pub(super) fn unsent(error: code::MqttError) -> Unsent {
    match error {
        code::MqttError::PacketTooLarge => Unsent::TooLarge,
        code::MqttError::ReceiveMaximumExceeded => Unsent::WindowFull,
        _ => Unsent::Closed,
    }
}

pub(super) fn return_code(rejection: Rejection) -> code::ConnectReturnCode {
    use code::ConnectReturnCode as C;
    match rejection {
        Rejection::Credentials => C::BadUserNameOrPassword,
        Rejection::ClientId => C::IdentifierRejected,
        Rejection::ForeignWill | Rejection::Method => C::NotAuthorized,
        Rejection::Rate | Rejection::Draining => C::ServerUnavailable,
    }
}

pub(super) fn connect_code(rejection: Rejection) -> code::ConnectReasonCode {
    use code::ConnectReasonCode as C;
    match rejection {
        Rejection::Credentials => C::BadUserNameOrPassword,
        Rejection::ClientId => C::ClientIdentifierNotValid,
        Rejection::ForeignWill => C::NotAuthorized,
        Rejection::Method => C::BadAuthenticationMethod,
        Rejection::Rate => C::ConnectionRateExceeded,
        Rejection::Draining => C::ServerUnavailable,
    }
}

pub(super) fn puback_code(ack: AckCode) -> code::PubackReasonCode {
    use code::PubackReasonCode as C;
    match ack {
        AckCode::Done => C::Success,
        AckCode::NotAuthorized => C::NotAuthorized,
        AckCode::PayloadInvalid => C::PayloadFormatInvalid,
    }
}

pub(super) fn pubrec_code(ack: AckCode) -> code::PubrecReasonCode {
    use code::PubrecReasonCode as C;
    match ack {
        AckCode::Done => C::Success,
        AckCode::NotAuthorized => C::NotAuthorized,
        AckCode::PayloadInvalid => C::PayloadFormatInvalid,
    }
}

pub(super) fn suback_5(granted: Granted) -> code::SubackReasonCode {
    use code::SubackReasonCode as C;
    match granted {
        Granted::Qos0 => C::GrantedQos0,
        Granted::Qos1 => C::GrantedQos1,
        Granted::NotAuthorized => C::NotAuthorized,
        Granted::TooMany => C::QuotaExceeded,
    }
}

pub(super) fn suback_3(granted: Granted) -> code::SubackReturnCode {
    use code::SubackReturnCode as C;
    match granted {
        Granted::Qos0 => C::SuccessMaximumQos0,
        Granted::Qos1 => C::SuccessMaximumQos1,
        Granted::NotAuthorized | Granted::TooMany => C::Failure,
    }
}

pub(super) fn disconnect_code(reason: Disconnect) -> code::DisconnectReasonCode {
    use code::DisconnectReasonCode as C;
    match reason {
        Disconnect::TakenOver => C::SessionTakenOver,
        Disconnect::Draining => C::ServerShuttingDown,
        Disconnect::KeepAlive => C::KeepAliveTimeout,
        Disconnect::MessageRate => C::MessageRateTooHigh,
        Disconnect::Slow => C::QuotaExceeded,
        Disconnect::Revoked => C::NotAuthorized,
        Disconnect::Unsupported => C::ImplementationSpecificError,
        Disconnect::Violation(violation) => match violation {
            Violation::WildcardTopic => C::TopicNameInvalid,
            Violation::TooLarge => C::PacketTooLarge,
            Violation::ReceiveMaximum => C::ReceiveMaximumExceeded,
            Violation::Malformed => C::MalformedPacket,
            Violation::Protocol | Violation::NotConnected | Violation::UnsupportedVersion => C::ProtocolError,
        },
    }
}
