//! Changes that a controller makes to its document, before it signs the result.

use crate::{Did, Document, MethodRef, Relationship, Service, VerificationMethod};

impl Document {
    /// Adds a method, or replaces the one of the same name, and lists it for exactly these uses.
    pub fn put_method(&mut self, method: VerificationMethod, uses: &[Relationship]) {
        let name = self.absolute(&method.id);
        self.remove_method(&name);
        for relationship in uses {
            let entry = MethodRef::Reference(method.id.clone());
            self.relationship_mut(*relationship).push(entry);
        }
        self.verification_method.push(method);
    }

    /// Removes a method and its uses. Whether there was one.
    pub fn remove_method(&mut self, name: &str) -> bool {
        let id = self.id.clone();
        let name = self.absolute(name);
        let before = self.methods().count();
        self.verification_method
            .retain(|method| absolute(&id, &method.id) != name);
        let there = before > self.methods().count();
        self.stop_using(&name, &Relationship::ALL) || there
    }

    /// Takes a method, which stays, from these uses. Whether it was listed.
    pub fn stop_using(&mut self, name: &str, uses: &[Relationship]) -> bool {
        let id = self.id.clone();
        let name = self.absolute(name);
        let mut listed = false;
        for relationship in uses {
            self.relationship_mut(*relationship).retain(|entry| {
                let own = match entry {
                    MethodRef::Reference(own) => own,
                    MethodRef::Embedded(method) => &method.id,
                };
                let this = absolute(&id, own) == name;
                listed |= this;
                !this
            });
        }
        listed
    }

    /// Adds a service, or replaces the one of the same name.
    pub fn put_service(&mut self, service: Service) {
        let name = self.absolute(&service.id);
        self.remove_service(&name);
        self.service.push(service);
    }

    /// Removes a service. Whether there was one.
    pub fn remove_service(&mut self, name: &str) -> bool {
        let id = self.id.clone();
        let name = self.absolute(name);
        let before = self.service.len();
        self.service
            .retain(|service| absolute(&id, &service.id) != name);
        before > self.service.len()
    }

    fn relationship_mut(&mut self, relationship: Relationship) -> &mut Vec<MethodRef> {
        match relationship {
            Relationship::Authentication => &mut self.authentication,
            Relationship::AssertionMethod => &mut self.assertion_method,
            Relationship::KeyAgreement => &mut self.key_agreement,
            Relationship::CapabilityInvocation => &mut self.capability_invocation,
            Relationship::CapabilityDelegation => &mut self.capability_delegation,
        }
    }
}

/// [`Document::absolute`], while the document is being changed.
fn absolute(id: &Did, name: &str) -> String {
    if name.starts_with(['#', '?', '/']) {
        format!("{id}{name}")
    } else {
        name.to_owned()
    }
}
